-- Batches are few among many jobs, and so are the items of one that have not begun among its tasks.
CREATE INDEX job_batches ON job (project, id) WHERE batch = 1;
CREATE INDEX task_held ON task (parent, id) WHERE state = 'held';
