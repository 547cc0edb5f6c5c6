-- Statistics of a sorted list of finite numbers and of a map label -> count; null where undefined or beyond a double.
CREATE OR REPLACE MACRO finite(x) AS CASE WHEN isfinite(x) THEN x END;

-- Percentile p stands at position p / 100 * (n + 1) of the sorted values, clamped, linear between (numpy: weibull).
CREATE OR REPLACE MACRO value_at(ordered, place) AS
ordered[floor(place)::BIGINT]
+ (place - floor(place)) * (ordered[ceil(place)::BIGINT] - ordered[floor(place)::BIGINT]);

CREATE OR REPLACE MACRO weibull_percentiles(ordered) AS
list_transform(
    list_transform(
        [10, 20, 30, 40, 50, 60, 70, 80, 90, 100],
        lambda p: greatest(1.0, least(len(ordered)::DOUBLE, p / 100 * (len(ordered) + 1)))
    ),
    lambda place: finite(value_at(ordered, place))
);

-- Where the difference of two bounds is beyond a double, all is reckoned in quarters.
CREATE OR REPLACE MACRO unit_between(lowest, highest) AS CASE WHEN isfinite(highest - lowest) THEN 1.0 ELSE 4.0 END;

-- Ten equal bins: where the first begins and how wide each is, in that unit.
CREATE OR REPLACE MACRO bin_start(lowest, highest) AS lowest / unit_between(lowest, highest);

CREATE OR REPLACE MACRO bin_width(lowest, highest) AS
(highest / unit_between(lowest, highest) - lowest / unit_between(lowest, highest)) / 10;

-- The lower edge of the i-th bin.
CREATE OR REPLACE MACRO bin_edge(lowest, highest, i) AS
unit_between(lowest, highest) * (bin_start(lowest, highest) + i * bin_width(lowest, highest));

-- Which bin a value lies in, 0 .. 9: half-open, the last one closed. The division may err by one at an edge, so the
-- edges as they are shown decide. Without a width all values are equal, and there is one bin; bins too narrow for a
-- double all lie before the last.
CREATE OR REPLACE MACRO bin_of(x, start, width) AS
CASE
    WHEN width IS NULL THEN 0
    WHEN width = 0 THEN 9
    ELSE greatest(0, least(
        9,
        floor((x - start) / width)
        + (x >= start + (floor((x - start) / width) + 1) * width)::INTEGER
        - (x < start + floor((x - start) / width) * width)::INTEGER
    ))
END::INTEGER;

-- How many of some values lie in which bin, as a map bin -> count; null without a value.
CREATE OR REPLACE MACRO bins_of(ordered, unit, start, width) AS
list_aggregate(list_transform(ordered, lambda v: bin_of(v / unit, start, width)), 'histogram');

-- The squares of the distances of some values from their mean, added up.
CREATE OR REPLACE MACRO sum_of_squares(ordered, mean) AS
list_aggregate(list_transform(ordered, lambda v: (v - mean) * (v - mean)), 'fsum');

-- The counts of all bins out of a map bin -> count.
CREATE OR REPLACE MACRO bin_counts(counts, lowest, highest) AS
list_transform(
    range(0, CASE WHEN counts IS NULL THEN 0 WHEN lowest = highest THEN 1 ELSE 10 END),
    lambda i: coalesce(counts[i], 0)
)::UINTEGER[];

-- In the declared order with zero counts kept; labels of an undeclared metric in alphabetical order.
CREATE OR REPLACE MACRO label_distribution(rubric, counts) AS
CASE
    WHEN rubric IS NOT NULL
        THEN
            list_transform(
                rubric,
                lambda s: {
                    'label': s.label, 'value': s.value, 'description': s.description,
                    'count': coalesce(counts[s.label], 0)::BIGINT
                }
            )
    ELSE list_transform(
        list_sort(map_keys(counts)),
        lambda l: {'label': l, 'value': NULL::DOUBLE, 'description': NULL::VARCHAR, 'count': counts[l]::BIGINT}
    )
END;

-- The label counted most; of equals the first in the alphabet; null when nothing was labelled.
CREATE OR REPLACE MACRO mode_label(counts) AS
list_sort(
    list_transform(
        list_filter(map_entries(counts), lambda e: e.value = list_max(map_values(counts))),
        lambda e: e.key
    )
)[1];
