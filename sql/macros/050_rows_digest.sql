-- One text for a set of rows, whatever their order and repetitions: equal exactly when keys and contents are equal.
CREATE OR REPLACE MACRO rows_digest(row_key, row_hash) AS
count(DISTINCT row_key || chr(31) || row_hash)::VARCHAR
|| '-' || format('{:016x}', bit_xor(DISTINCT md5_number_lower(row_key || chr(31) || row_hash)));
