-- Brings into the table job what is said of jobs after they were committed. Saying it again changes nothing.
UPDATE job
SET
    tags = list_sort(
        list_distinct(
            list_concat(
                list_filter(coalesce(job.tags, []), lambda tag: NOT list_contains(said.removed, tag)),
                said.added
            )
        )
    ),
    notes = said.notes
FROM (
    SELECT unnest($said::STRUCT(
        job_id VARCHAR, added VARCHAR[], removed VARCHAR[], notes STRUCT(note VARCHAR, noted_at TIMESTAMPTZ)[]
    )[], max_depth := 2)
) AS said
WHERE job.job_id = said.job_id;
