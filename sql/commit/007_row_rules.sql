-- What is told of a row by its other fields, the same for journals and frames.
-- All tokens: as they were logged, else those of prompt and completion, where both are known.
CREATE OR REPLACE MACRO all_tokens(total_tokens, prompt_tokens, completion_tokens) AS
coalesce(total_tokens, try_cast(prompt_tokens::HUGEINT + completion_tokens AS BIGINT));
