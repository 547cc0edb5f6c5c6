-- One text for a set of rows, whatever their order and repetitions: equal exactly when keys and contents are equal.
-- The upper half of the number is what md5_number_lower gives of each row, at five times the cost.
CREATE OR REPLACE MACRO digest_text(row_count, "number") AS
row_count::VARCHAR || '-' || format('{:016x}', ("number" >> 64)::UBIGINT);

CREATE OR REPLACE MACRO rows_digest(row_key, row_hash) AS
digest_text(
    count(DISTINCT row_key || chr(31) || row_hash), bit_xor(DISTINCT md5_number(row_key || chr(31) || row_hash))
);

-- The same where no key comes twice, which is found without looking for those that do.
CREATE OR REPLACE MACRO distinct_rows_digest(row_key, row_hash) AS
digest_text(count(*), bit_xor(md5_number(row_key || chr(31) || row_hash)));
