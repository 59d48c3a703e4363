"""What people read: tables, figures, the page, the data set."""
