-- The 95 % interval of a mean. Of a rate it is Wilson's (1927), for as many independent rows as its standard error
-- speaks of, so that 5 of 5 has one too; of any other mean 1.96 standard errors to each side.
CREATE OR REPLACE MACRO wilson_bound(rate, rows_behind, side) AS
(rate + 1.9208 / rows_behind + side * 1.96 * sqrt(rate * (1 - rate) / rows_behind + 0.9604 / rows_behind ** 2))
/ (1 + 3.8416 / rows_behind);

-- How many independent rows a rate stands on: fewer than were judged where rows of a cluster go together.
CREATE OR REPLACE MACRO rows_behind_rate(mean, std_error, passed, evaluated) AS
CASE
    WHEN std_error > 0 AND passed BETWEEN 1 AND evaluated - 1 AND abs(mean - passed / evaluated) < 1e-9
        THEN least(evaluated, 1 + mean * (1 - mean) / std_error ** 2)
    ELSE evaluated::DOUBLE
END;

-- Of the mean as it stands: side is -1 for the lower bound, 1 for the upper one.
CREATE OR REPLACE MACRO mean_bound(mean, std_error, passed, evaluated, side) AS
CASE
    -- Exactly, which the formula is only up to the last bits.
    WHEN evaluated > 0 AND mean = CASE WHEN side < 0 THEN 0 ELSE 1 END AND passed = mean * evaluated THEN mean
    WHEN evaluated > 0 AND abs(mean - passed / evaluated) < 1e-9
        THEN wilson_bound(mean, rows_behind_rate(mean, std_error, passed, evaluated), side)
    ELSE mean + side * 1.96 * std_error
END;
