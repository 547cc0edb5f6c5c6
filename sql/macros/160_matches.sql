-- Whether a field meets a condition. Numbers compare as numbers when both sides are numbers, else as text; a text is
-- neither less nor greater than a number that is wanted, and nothing is less or greater than NaN.
CREATE OR REPLACE MACRO matches(op, actual_text, actual_number, wanted_text, wanted_number) AS
CASE
    WHEN op = '=' THEN coalesce(actual_number = wanted_number, actual_text = wanted_text)
    WHEN op = '!=' THEN NOT coalesce(actual_number = wanted_number, actual_text = wanted_text)
    WHEN op = '~' THEN contains(lower(actual_text), lower(wanted_text))
    WHEN op = 'is null' THEN actual_text IS NULL
    WHEN op = 'is not null' THEN actual_text IS NOT NULL
    WHEN isnan(actual_number) OR isnan(wanted_number) THEN FALSE
    WHEN op = '<' AND wanted_number IS NULL THEN actual_text < wanted_text
    WHEN op = '<=' AND wanted_number IS NULL THEN actual_text <= wanted_text
    WHEN op = '>' AND wanted_number IS NULL THEN actual_text > wanted_text
    WHEN op = '>=' AND wanted_number IS NULL THEN actual_text >= wanted_text
    WHEN op = '<' THEN actual_number < wanted_number
    WHEN op = '<=' THEN actual_number <= wanted_number
    WHEN op = '>' THEN actual_number > wanted_number
    WHEN op = '>=' THEN actual_number >= wanted_number
END;
