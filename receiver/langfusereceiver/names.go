package langfusereceiver

// overflow is the name of all that has no series of its own any more.
const overflow = "other"

// names bounds how many names of a kind get series: they are chosen by users of
// Langfuse, and each is a series for ever. Those that came first stay.
type names struct {
	limits map[string]int
	known  map[string]map[string]bool
	// full are the kinds that had to be cut, and whether that was told.
	full map[string]bool
}

// Kinds of names. Those after the first four are few at every server that is well;
// they have a limit all the same.
const (
	kindModel  = "model"
	kindScore  = "score"
	kindUser   = "user"
	kindPrompt = "prompt"

	kindType        = "type"
	kindLevel       = "level"
	kindSource      = "source"
	kindData        = "data type"
	kindEnvironment = "environment"

	mostOfAKind = 50
)

func newNames(cfg *Config) *names {
	n := &names{
		limits: map[string]int{kindModel: cfg.MaxModels, kindScore: cfg.MaxScores, kindUser: cfg.MaxUsers, kindPrompt: cfg.MaxPrompts},
		known:  make(map[string]map[string]bool),
		full:   make(map[string]bool),
	}
	for _, kind := range []string{kindType, kindLevel, kindSource, kindData, kindEnvironment} {
		n.limits[kind] = mostOfAKind
	}
	for kind := range n.limits {
		n.known[kind] = make(map[string]bool)
	}
	return n
}

// learn takes in the names that have series already.
func (n *names) learn(t totals) {
	for k := range t {
		n.add(kindEnvironment, k.env)
		switch k.family {
		case famObservations:
			n.add(kindType, k.a)
			n.add(kindLevel, k.b)
			n.add(kindModel, k.c)
		case famTokens, famCost:
			n.add(kindModel, k.a)
		case famScores:
			n.add(kindScore, k.a)
			n.add(kindSource, k.b)
			if k.c == dataCategorical {
				n.add(kindScore, join(k.a, k.d))
			} else {
				n.add(kindData, k.c)
			}
		case famUserTokens, famUserCost:
			n.add(kindUser, k.a)
		case famPromptObservations, famPromptTokens, famPromptCost:
			n.add(kindPrompt, join(k.a, k.b))
		}
	}
}

func (n *names) add(kind, name string) {
	if name != "" && name != overflow {
		n.known[kind][name] = true
	}
}

// fits says whether the name may have series. No name needs none.
func (n *names) fits(kind, name string) bool {
	if name == "" || n.known[kind][name] {
		return true
	}
	if len(n.known[kind]) >= n.limits[kind] {
		if _, known := n.full[kind]; !known {
			n.full[kind] = false
		}
		return false
	}
	n.known[kind][name] = true
	return true
}

// news are the kinds that had to be cut and were not told before.
func (n *names) news() []string {
	var kinds []string
	for kind, told := range n.full {
		if !told {
			kinds = append(kinds, kind)
			n.full[kind] = true
		}
	}
	return kinds
}

// of is the name under which something of a kind is counted.
func (n *names) of(kind, name string) string {
	if n.fits(kind, name) {
		return name
	}
	return overflow
}

// environment is the name under which that of the row is counted.
func (n *names) environment(row row) string { return n.of(kindEnvironment, row.text("environment")) }

// score is under what a score with this value is counted; the value is empty
// where it is no name.
func (n *names) score(name, value string) (string, string) {
	switch {
	case !n.fits(kindScore, name):
		return overflow, ""
	case value == "" || n.fits(kindScore, join(name, value)):
		return name, value
	}
	return name, overflow
}

// prompt is under what a version of a prompt is counted.
func (n *names) prompt(name, version string) (string, string) {
	if n.fits(kindPrompt, join(name, version)) {
		return name, version
	}
	return overflow, ""
}

// join makes one name of what has two, with a byte between them that neither has.
func join(a, b string) string {
	if b == "" {
		return a
	}
	return a + "\x00" + b
}
