"""From a plan to dated lessons: versions, publication, changes, timetables and calendars."""
