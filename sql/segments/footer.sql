-- What the footer of a segment says: which jobs it holds, and which segments it stands for.
SELECT decode("value") AS footer
FROM parquet_kv_metadata($file)
WHERE decode("key") = 'evalstore';
