-- breaking: no
-- What an alert's open reasons were when a look wrote them last: a look writes only those that differ. Empty: none; null: nobody knows, they are written.
alter table alert_standing add column reasons_digest text;
