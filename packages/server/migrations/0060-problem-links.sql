-- breaking: no
-- People may link an incident to a problem, or take it out of one: what they decided stays, whatever its root is.
alter table incident add column problem_placed_by text;
