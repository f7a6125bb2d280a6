package modelcatalogconnector

import (
	"regexp"
	"slices"
	"strings"
)

// words are the parts of a model's name, or of several with commas between. Of an id
// or a path the last part tells what the model is, the others whose it is.
func words(names string) []string {
	var all []string
	for name := range strings.SplitSeq(strings.ToLower(names), ",") {
		name = name[strings.LastIndex(name, "/")+1:]
		all = append(all, strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune("-_:@ ", r) })...)
	}
	return all
}

// operations are what words in the name of a model say of it for certain. No word
// says that a model chats: "instruct" is in the names of embedding models too.
var operations = map[string]string{
	"embed": "embeddings", "embedding": "embeddings", "embeddings": "embeddings",
	"rerank": "rerank", "reranker": "rerank",
}

// operationOf says what a model does, if its names do.
func operationOf(names ...string) string {
	var found values
	for _, name := range names {
		for _, word := range words(name) {
			found.add(operations[word])
		}
	}
	if len(found) != 1 {
		return ""
	}
	return found[0]
}

var (
	// billions matches 72b, 0.5b and 8x7b; millions 137m, but not 1m, which is a
	// length of context.
	billions = regexp.MustCompile(`^([0-9]+x)?[0-9]+(\.[0-9]+)?[bt]$`)
	millions = regexp.MustCompile(`^[0-9]{2,}m$`)
	// experts matches the 16e of Llama-4-Scout-17B-16E, whose 17B are not its size.
	experts = regexp.MustCompile(`^[0-9]+e$`)
)

// parametersOf is the size that the first of the names has that has any. Of two
// sizes in one name neither is taken.
func parametersOf(names ...string) string {
	for _, name := range names {
		var sizes, small values
		unclear := false
		for _, word := range words(name) {
			switch {
			case billions.MatchString(word):
				sizes.add(word)
			case millions.MatchString(word):
				small.add(word)
			case experts.MatchString(word):
				unclear = true
			}
		}
		if len(sizes) == 0 {
			sizes = small
		}
		if len(sizes) == 0 {
			continue
		}
		if unclear || len(sizes) > 1 {
			return ""
		}
		return strings.ReplaceAll(strings.ToUpper(sizes[0]), "X", "x")
	}
	return ""
}

// hub matches the id of a model on the hub: an organization and a name.
var hub = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}$`)

// folders are what the first part of a relative path is often called.
var folders = []string{"checkpoints", "data", "mnt", "model", "models", "weights"}

// modelCard is the address of the card of a model with such an id, empty if the id
// is a path. vLLM takes a relative path of this form for a folder if there is one;
// nobody here can know.
func modelCard(id string) string {
	organization, _, _ := strings.Cut(id, "/")
	if !hub.MatchString(id) || slices.Contains(folders, strings.ToLower(organization)) {
		return ""
	}
	return "https://huggingface.co/" + id
}
