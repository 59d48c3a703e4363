"""What every part uses: errors, whole files, records, metrics, shards, progress. It knows no model and no task."""
