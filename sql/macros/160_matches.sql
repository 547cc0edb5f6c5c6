-- Whether a field meets a condition. Numbers compare as numbers when both sides are numbers, else as text.
CREATE OR REPLACE MACRO matches(op, actual_text, actual_number, wanted_text, wanted_number) AS
CASE op
    WHEN '=' THEN coalesce(actual_number = wanted_number, actual_text = wanted_text)
    WHEN '!=' THEN NOT coalesce(actual_number = wanted_number, actual_text = wanted_text)
    WHEN '<'
        THEN
            NOT coalesce(isnan(actual_number), FALSE)
            AND coalesce(actual_number < wanted_number, actual_text < wanted_text)
    WHEN '<='
        THEN
            NOT coalesce(isnan(actual_number), FALSE)
            AND coalesce(actual_number <= wanted_number, actual_text <= wanted_text)
    WHEN '>'
        THEN
            NOT coalesce(isnan(actual_number), FALSE)
            AND coalesce(actual_number > wanted_number, actual_text > wanted_text)
    WHEN '>='
        THEN
            NOT coalesce(isnan(actual_number), FALSE)
            AND coalesce(actual_number >= wanted_number, actual_text >= wanted_text)
    WHEN '~' THEN contains(lower(actual_text), lower(wanted_text))
    WHEN 'is null' THEN actual_text IS NULL
    WHEN 'is not null' THEN actual_text IS NOT NULL
END;
