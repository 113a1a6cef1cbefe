// Answers questions about URL patterns and GJSON paths with the modules that Oathkeeper v26.2.0 is built from.
//
// One JSON object a line, read from standard input, one answer a line:
//
//	{"regexp": "http://h/<.*>", "inputs": ["http://h/x"]}  {"matches": [{"groups": ["x"]}]}
//	{"glob": "http://h/<*>", "inputs": ["http://h/x/y"]}   {"matches": [null]}
//	{"path": "a.#", "json": "{\"a\": [1]}"}                {"raw": "1"}
//
// A pattern that cannot be read is answered with {"error": "..."}, a match that takes too long with {"timeout": "..."}.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/dlclark/regexp2"
	"github.com/gobwas/glob"
	"github.com/tidwall/gjson"
)

type question struct {
	Regexp *string  `json:"regexp"`
	Glob   *string  `json:"glob"`
	Inputs []string `json:"inputs"`
	Path   *string  `json:"path"`
	JSON   string   `json:"json"`
}

type match struct {
	Groups  []string `json:"groups"`
	Timeout string   `json:"timeout,omitempty"`
}

type answer struct {
	Error   string   `json:"error,omitempty"`
	Matches []*match `json:"matches,omitempty"`
	// The text of what is found, which Oathkeeper reads as JSON; it takes none for null.
	Raw string `json:"raw,omitempty"`
}

func main() {
	// As Oathkeeper does, to have the whole document with @this.
	gjson.AddModifier("this", func(json, _ string) string { return json })
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var asked question
		if err := json.Unmarshal(line, &asked); err != nil {
			fmt.Fprintln(os.Stderr, "a question that is not JSON:", err)
			os.Exit(2)
		}
		if err := encoder.Encode(answerTo(asked)); err != nil {
			fmt.Fprintln(os.Stderr, "an answer that JSON cannot say:", err)
			os.Exit(2)
		}
		// Who asks waits for the answer only when there is nothing more to ask.
		if in.Buffered() == 0 {
			out.Flush()
		}
	}
}

// A panic is an answer too: Oathkeeper's server turns it into a broken connection.
func answerTo(asked question) (given answer) {
	defer func() {
		if cause := recover(); cause != nil {
			given = answer{Error: fmt.Sprint("panic: ", cause)}
		}
	}()
	switch {
	case asked.Regexp != nil:
		return byRegexp(*asked.Regexp, asked.Inputs)
	case asked.Glob != nil:
		return byGlob(*asked.Glob, asked.Inputs)
	case asked.Path != nil:
		return answer{Raw: gjson.Get(asked.JSON, *asked.Path).Raw}
	}
	return answer{Error: "no question"}
}

// A pattern taken apart at its outermost angle brackets: text, inside, text, inside, ..., text.
func parts(pattern string) ([]string, error) {
	var parts []string
	depth, start := 0, 0
	for at := range len(pattern) {
		switch pattern[at] {
		case '<':
			depth++
			if depth == 1 {
				parts, start = append(parts, pattern[start:at]), at+1
			}
		case '>':
			depth--
			if depth < 0 {
				return nil, fmt.Errorf(`Unbalanced braces in "%q"`, pattern)
			}
			if depth == 0 {
				parts, start = append(parts, pattern[start:at]), at+1
			}
		}
	}
	if depth != 0 {
		return nil, fmt.Errorf(`Unbalanced braces in "%q"`, pattern)
	}
	return append(parts, pattern[start:]), nil
}

func byRegexp(pattern string, inputs []string) answer {
	pieces, err := parts(pattern)
	if err != nil {
		return answer{Error: err.Error()}
	}
	var whole strings.Builder
	whole.WriteByte('^')
	for number, piece := range pieces {
		if number%2 == 0 {
			whole.WriteString(regexp.QuoteMeta(piece))
			continue
		}
		// Each piece has to be a regular expression by itself, too.
		if _, err := regexp2.Compile("^"+piece+"$", regexp2.RE2); err != nil {
			return answer{Error: err.Error()}
		}
		whole.WriteString("(" + piece + ")")
	}
	whole.WriteByte('$')
	compiled, err := regexp2.Compile(whole.String(), regexp2.RE2)
	if err != nil {
		return answer{Error: err.Error()}
	}
	compiled.MatchTimeout = 250 * time.Millisecond
	matches := make([]*match, len(inputs))
	for number, input := range inputs {
		found, err := compiled.FindStringMatch(input)
		switch {
		case err != nil:
			matches[number] = &match{Timeout: err.Error()}
		case found != nil:
			groups := []string{}
			for _, group := range found.Groups()[1:] {
				groups = append(groups, group.String())
			}
			matches[number] = &match{Groups: groups}
		}
	}
	return answer{Matches: matches}
}

func byGlob(pattern string, inputs []string) answer {
	pieces, err := parts(pattern)
	if err != nil {
		return answer{Error: "unbalanced pattern"}
	}
	var whole strings.Builder
	for number, piece := range pieces {
		if number%2 == 0 {
			piece = glob.QuoteMeta(piece)
		}
		whole.WriteString(piece)
	}
	compiled, err := glob.Compile(whole.String(), '.', '/')
	if err != nil {
		return answer{Error: err.Error()}
	}
	matches := make([]*match, len(inputs))
	for number, input := range inputs {
		if compiled.Match(input) {
			matches[number] = &match{Groups: []string{}}
		}
	}
	return answer{Matches: matches}
}
