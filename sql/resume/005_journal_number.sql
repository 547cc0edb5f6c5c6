-- A number as the journal holds it: JSON has no infinity and no NaN, so they travel as text.
CREATE OR REPLACE MACRO journal_number(x) AS
CASE WHEN isfinite(x) THEN to_json(x) ELSE to_json(x::VARCHAR) END;
