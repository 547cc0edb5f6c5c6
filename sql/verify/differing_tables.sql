-- The tables that are read from files of their own and of which the published catalog (`snapshot`) says something else
-- than those files do (`catalog`). Segments that only one of them has do no harm: they are used, or not.
WITH told AS (
    SELECT 'metric' AS name, hash(entry) AS digest FROM catalog.metric AS entry  -- noqa: AL05
    UNION ALL
    SELECT 'segment_job' AS name, hash(entry) AS digest FROM catalog.segment_job AS entry  -- noqa: AL05
    WHERE segment_id IN (SELECT segment.segment_id FROM snapshot.segment)
),

shown AS (
    SELECT 'metric' AS name, hash(entry) AS digest FROM snapshot.metric AS entry  -- noqa: AL05
    UNION ALL
    SELECT 'segment_job' AS name, hash(entry) AS digest FROM snapshot.segment_job AS entry  -- noqa: AL05
    WHERE segment_id IN (SELECT segment.segment_id FROM catalog.segment)
),

only_told AS (
    SELECT * FROM told
    EXCEPT ALL
    SELECT * FROM shown
),

only_shown AS (
    SELECT * FROM shown
    EXCEPT ALL
    SELECT * FROM told
)

SELECT name FROM only_told
UNION
SELECT name FROM only_shown
ORDER BY name;
