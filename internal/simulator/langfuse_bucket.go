package simulator

import "time"

// autoGranularity is what "auto" means for a time range: about 50 buckets.
func autoGranularity(d time.Duration) string {
	switch hours := d.Hours(); {
	case hours < 2:
		return "minute"
	case hours < 72:
		return "hour"
	case hours < 1440:
		return "day"
	case hours < 8760:
		return "week"
	default:
		return "month"
	}
}

// bucketOf is the start of the bucket of a time, in UTC as the data base is.
func bucketOf(t time.Time, granularity string) time.Time {
	t = t.UTC()
	day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	switch granularity {
	case "minute":
		return t.Truncate(time.Minute)
	case "hour":
		return t.Truncate(time.Hour)
	case "day":
		return day
	case "week":
		return day.AddDate(0, 0, -(int(day.Weekday())+6)%7) // toMonday
	default:
		return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
	}
}

func nextBucket(t time.Time, granularity string) time.Time {
	switch granularity {
	case "minute":
		return t.Add(time.Minute)
	case "hour":
		return t.Add(time.Hour)
	case "day":
		return t.AddDate(0, 0, 1)
	case "week":
		return t.AddDate(0, 0, 7)
	default:
		return t.AddDate(0, 1, 0)
	}
}

// bucketText is a bucket as answers show it: from a day on it is a Date there, below a DateTime.
func bucketText(t time.Time, granularity string) string {
	if granularity == "minute" || granularity == "hour" {
		return t.Format(time.RFC3339)
	}
	return t.Format(time.DateOnly)
}
