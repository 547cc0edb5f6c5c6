-- The least and the greatest number that a rubric gives to its labels.
CREATE OR REPLACE MACRO rubric_minimum(rubric) AS list_min(list_transform(rubric, lambda step: step.value));
CREATE OR REPLACE MACRO rubric_maximum(rubric) AS list_max(list_transform(rubric, lambda step: step.value));
