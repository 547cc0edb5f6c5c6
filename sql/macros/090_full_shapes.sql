-- Lean columns in the shape that readers of results know: named percentiles, bins with bounds.
CREATE OR REPLACE MACRO full_percentiles(p) AS
CASE WHEN p IS NOT NULL THEN {
    'p10': p[1], 'p20': p[2], 'p30': p[3], 'p40': p[4], 'p50': p[5],
    'p60': p[6], 'p70': p[7], 'p80': p[8], 'p90': p[9], 'p100': p[10]
} END;

CREATE OR REPLACE MACRO full_histogram(counts, lowest, highest) AS
CASE WHEN counts IS NOT NULL THEN {
    'bins': list_transform(
        range(0, len(counts)),
        lambda i: {
            'lower_bound': bin_edge(lowest, highest, i),
            'upper_bound': CASE WHEN i + 1 = len(counts) THEN highest ELSE bin_edge(lowest, highest, i + 1) END,
            'count': counts[i + 1]::BIGINT
        }
    )
} END;
