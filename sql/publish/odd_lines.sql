-- Lines out of documents with values that are not of the type of their column: cast where that can be, else null.
SELECT unnest(lines)
FROM (
    SELECT unnest(from_json($documents, $structure)) AS lines
) AS parsed;
