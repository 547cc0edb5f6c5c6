-- Statistics of a sorted list of finite numbers and of a map label -> count; null where undefined or beyond a double.
CREATE OR REPLACE MACRO finite(x) AS CASE WHEN isfinite(x) THEN x END;

-- Percentile p stands at position p / 100 * (n + 1) of the sorted values, clamped, linear between (numpy: weibull).
CREATE OR REPLACE MACRO value_at(ordered, place) AS
ordered[floor(place)::BIGINT]
+ (place - floor(place)) * (ordered[least(floor(place)::BIGINT + 1, len(ordered))] - ordered[floor(place)::BIGINT]);

CREATE OR REPLACE MACRO weibull_percentiles(ordered) AS
list_transform(
    [10, 20, 30, 40, 50, 60, 70, 80, 90, 100],
    lambda p: finite(value_at(ordered, greatest(1.0, least(len(ordered)::DOUBLE, p / 100 * (len(ordered) + 1)))))
);

-- The lower edge of the i-th of ten equal bins; in quarters where the difference of the bounds is beyond a double.
CREATE OR REPLACE MACRO bin_edge(lowest, highest, i) AS
CASE
    WHEN isfinite(highest - lowest) THEN lowest + i * ((highest - lowest) / 10)
    ELSE 4 * (lowest / 4 + i * ((highest / 4 - lowest / 4) / 10))
END;

-- Which of ten equal bins between two bounds a value lies in, 0 .. 9: half-open, the last one closed. The division may
-- err by one at an edge, so the edges as they are shown decide.
CREATE OR REPLACE MACRO near_bin(x, lowest, width) AS
floor((x - lowest) / width)
+ (x >= lowest + (floor((x - lowest) / width) + 1) * width)::INTEGER
- (x < lowest + floor((x - lowest) / width) * width)::INTEGER;

CREATE OR REPLACE MACRO bin_of(x, lowest, highest) AS
CASE
    WHEN lowest = highest THEN 0
    WHEN isfinite(highest - lowest) THEN greatest(0, least(9, near_bin(x, lowest, (highest - lowest) / 10)))
    ELSE greatest(0, least(9, near_bin(x / 4, lowest / 4, (highest / 4 - lowest / 4) / 10)))
END::INTEGER;

-- How many of some values lie in which bin, as a map bin -> count; null without a value.
CREATE OR REPLACE MACRO bins_of(ordered, lowest, highest) AS
list_aggregate(list_transform(ordered, lambda v: bin_of(v, lowest, highest)), 'histogram');

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
