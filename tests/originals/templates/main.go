// Answers for Go's text/template with sprig, as Oathkeeper puts them together: reads one JSON object
// a line, {"template", "data"}, and writes one a line, {"output"}, {"error"} or {"parse_error"}.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"text/template"
	"unicode/utf8"

	"github.com/Masterminds/sprig/v3"

	"edgekeeper/originals/templates/authn"
)

type question struct {
	Template string `json:"template"`
	Data     struct {
		Subject string
		Extra   map[string]interface{}
		Header  http.Header
		Groups  []string
		URL     string
		Method  string
		Request http.Header
	} `json:"data"`
}

type answer struct {
	Output     *string `json:"output,omitempty"`
	Error      *string `json:"error,omitempty"`
	ParseError *string `json:"parse_error,omitempty"`
	// A text on the way was not UTF-8: Go cuts strings between bytes.
	Broken bool `json:"broken,omitempty"`
}

// A template that runs away here ends, as it does there.
const longest = 1 << 20

var errTooLong = errors.New("the output is too long")

type output struct{ text []byte }

func (o *output) Write(part []byte) (int, error) {
	if len(o.text)+len(part) > longest {
		return 0, errTooLong
	}
	o.text = append(o.text, part...)
	return len(part), nil
}

// Oathkeeper's own two functions; sprig's come after them and win.
var own = template.FuncMap{
	"print": func(value interface{}) string {
		if value == nil {
			return ""
		}
		return fmt.Sprint(value)
	},
	"printIndex": func(list interface{}, at int) string {
		if value := reflect.ValueOf(list); value.IsValid() && value.Kind() == reflect.Slice && at < value.Len() {
			return fmt.Sprintf("%v", value.Index(at))
		}
		return ""
	},
}

// What sprig's functions that cut a string by bytes gave was not UTF-8.
var cut bool

func watched(text string) string {
	cut = cut || !utf8.ValidString(text)
	return text
}

// The functions that may do so, watched.
func cutting(all template.FuncMap) template.FuncMap {
	watching := template.FuncMap{}
	for name, function := range all {
		switch call := function.(type) {
		case func(string) string:
			if name == "b64dec" || name == "b32dec" {
				watching[name] = func(text string) string { return watched(call(text)) }
			}
		case func(int, string) string:
			watching[name] = func(size int, text string) string { return watched(call(size, text)) }
		case func(int, int, string) string:
			watching[name] = func(from, to int, text string) string { return watched(call(from, to, text)) }
		case func(int, string, string) string:
			watching[name] = func(size int, end, text string) string { return watched(call(size, end, text)) }
		}
	}
	return watching
}

func say(text string) (*string, bool) {
	return &text, cut || !utf8.ValidString(text)
}

func ask(q question) (a answer) {
	cut = false
	functions := sprig.TxtFuncMap()
	parsed, err := template.New("r:X").Option("missingkey=zero").Funcs(own).Funcs(functions).Funcs(cutting(functions)).Parse(q.Template)
	if err != nil {
		a.ParseError, a.Broken = say(err.Error())
		return a
	}
	location, err := url.Parse(q.Data.URL)
	if err != nil {
		panic(err)
	}
	session := &authn.AuthenticationSession{
		Subject: q.Data.Subject,
		Extra:   q.Data.Extra,
		Header:  q.Data.Header,
		MatchContext: authn.MatchContext{
			RegexpCaptureGroups: q.Data.Groups,
			URL:                 location,
			Method:              q.Data.Method,
			Header:              q.Data.Request,
		},
	}
	var out output
	if err := parsed.Execute(&out, session); err != nil {
		a.Error, a.Broken = say(err.Error())
		return a
	}
	a.Output, a.Broken = say(string(out.text))
	return a
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	answers := bufio.NewWriter(os.Stdout)
	defer answers.Flush()
	encoder := json.NewEncoder(answers)
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			panic(err)
		}
		if err := encoder.Encode(ask(q)); err != nil {
			panic(err)
		}
	}
	if err := lines.Err(); err != nil {
		panic(err)
	}
}
