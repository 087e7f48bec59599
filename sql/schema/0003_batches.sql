-- Batches: a job whose work is done by other jobs, its items, one per file.
--
-- The batch is a job like others: what was asked, then a task, then an end. Its task is in state 'waiting': no worker can
-- take it; pending counts the items that have not ended. The item that ends last ends the batch, in its own transaction.
-- An archive among the files is an item whose step unpacks it; what comes out becomes further items when it has ended.

ALTER TABLE job ADD COLUMN batch bigint NOT NULL DEFAULT 0; -- 1: it has items; its step is what is done to each
ALTER TABLE job ADD COLUMN parent bigint; -- the batch of an item
ALTER TABLE job ADD COLUMN place bigint;  -- of the item in its batch, from 1
CREATE INDEX job_by_parent ON job (parent, id) WHERE parent IS NOT NULL;
-- Lists show what people started, not the items.
DROP INDEX job_by_project;
CREATE INDEX job_by_project ON job (project, id) WHERE parent IS NULL;

ALTER TABLE task ADD COLUMN parent bigint;
ALTER TABLE task ADD COLUMN pending bigint NOT NULL DEFAULT 0;
CREATE INDEX task_waiting ON task (project, id) WHERE state = 'waiting';
CREATE INDEX task_of_batch ON task (parent) WHERE parent IS NOT NULL;
