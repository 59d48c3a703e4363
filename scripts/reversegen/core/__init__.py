"""Code that every part uses: errors, atomic files, records, metrics, shards, progress. It knows no model and no task."""
