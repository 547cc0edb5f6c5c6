-- The words that come again in each line of a frame's files, as enumerations: their columns are written in a fifth of
-- the time, and read as text.
DROP TYPE IF EXISTS job_word;
DROP TYPE IF EXISTS suite_word;
DROP TYPE IF EXISTS value_word;
DROP TYPE IF EXISTS status_word;
CREATE TYPE job_word AS ENUM (SELECT getvariable('job_id'));  -- noqa: CV07
CREATE TYPE suite_word AS ENUM (SELECT getvariable('frame_suite'));  -- noqa: CV07
CREATE TYPE value_word AS ENUM('null', 'bool', 'int', 'float', 'str');
CREATE TYPE status_word AS ENUM('scored', 'unscored');
