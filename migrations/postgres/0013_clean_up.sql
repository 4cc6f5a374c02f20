-- An admin opens a clean-up of a store: until then, what dreams may lose does not hold their proposals back.
ALTER TABLE stores ADD COLUMN clean_up_until BIGINT;

-- How near in meaning two statements were that a question was about, in thousandths of a cosine: answers teach what is worth asking.
ALTER TABLE answers ADD COLUMN near BIGINT;
