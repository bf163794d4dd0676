package ci_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/itchyny/gojq"
)

// gh is as much of GitHub's own program as the workflows use: gh api with
// --method, --paginate, --jq, -f and -F name=@file. It speaks to the fake of
// GitHub at GITHUB_API_URL with GH_TOKEN.
func gh(args []string) error {
	if len(args) == 0 || args[0] != "api" {
		return errors.New("only gh api is known here")
	}
	method, paginate, query, path := "", false, "", ""
	fields := map[string]string{}
	for args = args[1:]; len(args) > 0; {
		flag := args[0]
		args = args[1:]
		if flag == "--paginate" {
			paginate = true
			continue
		}
		if !strings.HasPrefix(flag, "-") {
			path = flag
			continue
		}
		if len(args) == 0 || !slices.Contains([]string{"--method", "--jq", "-f", "-F"}, flag) {
			return errors.New("gh api " + flag + " is not known here")
		}
		value := args[0]
		args = args[1:]
		switch flag {
		case "--method":
			method = value
		case "--jq":
			query = value
		default:
			name, v, _ := strings.Cut(value, "=")
			if file, ok := strings.CutPrefix(v, "@"); ok && flag == "-F" {
				content, err := os.ReadFile(file)
				if err != nil {
					return err
				}
				v = string(content)
			}
			fields[name] = v
		}
	}
	if method == "" && len(fields) > 0 {
		method = http.MethodPost
	}
	at := os.Getenv("GITHUB_API_URL") + "/" + path
	var body []byte
	if method == "" || method == http.MethodGet {
		values := url.Values{}
		for name, v := range fields {
			values.Set(name, v)
		}
		at += "?" + values.Encode()
	} else {
		var err error
		if body, err = json.Marshal(fields); err != nil {
			return err
		}
	}
	for at != "" {
		answer, header, err := send(http.DefaultClient, method, at, http.Header{"Authorization": {"Bearer " + os.Getenv("GH_TOKEN")}}, body)
		if err != nil {
			return err
		}
		if err := filter(os.Stdout, query, bytes.NewReader(answer), true, nil); err != nil {
			return err
		}
		at = ""
		if next, ok := strings.CutSuffix(header.Get("Link"), `>; rel="next"`); ok && paginate {
			at = strings.TrimPrefix(next, "<")
		}
	}
	return nil
}

// send makes a request; an answer that says no is an error.
func send(client *http.Client, method, at string, header http.Header, body []byte) ([]byte, http.Header, error) {
	request, err := http.NewRequest(method, at, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	request.Header = header
	response, err := client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode >= http.StatusBadRequest {
		err = fmt.Errorf("%s %s: %s: %s", method, at, response.Status, answer)
	}
	return answer, response.Header, err
}

// curl is as much of curl as the workflows use. A proxy is the one of Bitbucket
// Pipelines, which is where FAKE_PROXY says.
func curl(args []string) error {
	method, body, at := http.MethodGet, []byte(nil), ""
	header := http.Header{}
	client := &http.Client{}
	for len(args) > 0 {
		flag := args[0]
		args = args[1:]
		if slices.Contains([]string{"--silent", "--show-error", "--fail-with-body"}, flag) {
			continue
		}
		if !strings.HasPrefix(flag, "-") {
			at = flag
			continue
		}
		if len(args) == 0 {
			return errors.New("curl " + flag + " is not known here")
		}
		value := args[0]
		args = args[1:]
		switch flag {
		case "--request":
			method = value
		case "--header":
			name, v, _ := strings.Cut(value, ": ")
			header.Set(name, v)
		case "--data", "--json":
			file, ok := strings.CutPrefix(value, "@")
			if !ok {
				return errors.New("curl " + flag + " takes a file here")
			}
			var err error
			if body, err = os.ReadFile(file); err != nil {
				return err
			}
			if flag == "--json" {
				header.Set("Content-Type", "application/json")
			}
		case "--proxy":
			if value != "http://localhost:29418" {
				return errors.New("there is no proxy at " + value)
			}
			proxy, err := url.Parse(os.Getenv("FAKE_PROXY"))
			if err != nil {
				return err
			}
			client.Transport = &http.Transport{Proxy: http.ProxyURL(proxy)}
		default:
			return errors.New("curl " + flag + " is not known here")
		}
	}
	answer, _, err := send(client, method, at, header, body)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(answer)
	return err
}

// jq is as much of jq as the workflows use, on the library that gh has it from.
func jq(args []string) error {
	raw, rawInput, slurp := false, false, false
	variables := map[string]any{}
	var query string
	in := io.Reader(os.Stdin)
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "--raw-output":
			raw = true
		case arg == "--raw-input":
			rawInput = true
		case arg == "--slurp":
			slurp = true
		case (arg == "--arg" || arg == "--argjson") && len(args) > 1:
			var v any = args[1]
			if arg == "--argjson" {
				if err := json.Unmarshal([]byte(args[1]), &v); err != nil {
					return err
				}
			}
			variables["$"+args[0]] = v
			args = args[2:]
		case strings.HasPrefix(arg, "-"):
			return errors.New("jq " + arg + " is not known here")
		case query == "":
			query = arg
		default:
			file, err := os.Open(arg)
			if err != nil {
				return err
			}
			defer file.Close()
			in = file
		}
	}
	if rawInput != slurp {
		return errors.New("jq takes JSON here, or all of a text")
	}
	if rawInput {
		content, err := io.ReadAll(in)
		if err != nil {
			return err
		}
		quoted, err := json.Marshal(string(content))
		if err != nil {
			return err
		}
		in = bytes.NewReader(quoted)
	}
	return filter(os.Stdout, query, in, raw, variables)
}

// filter prints what a jq query makes of JSON; raw: texts without their quotes.
// No query prints the JSON as it is.
func filter(w io.Writer, query string, in io.Reader, raw bool, variables map[string]any) error {
	if query == "" {
		_, err := io.Copy(w, in)
		return err
	}
	parsed, err := gojq.Parse(query)
	if err != nil {
		return err
	}
	var names []string
	var values []any
	for name, v := range variables {
		names, values = append(names, name), append(values, v)
	}
	code, err := gojq.Compile(parsed, gojq.WithEnvironLoader(os.Environ), gojq.WithVariables(names))
	if err != nil {
		return err
	}
	var input any
	if err := json.NewDecoder(in).Decode(&input); err != nil {
		return err
	}
	for it := code.Run(input, values...); ; {
		v, more := it.Next()
		if !more {
			return nil
		}
		if err, ok := v.(error); ok {
			return err
		}
		if s, ok := v.(string); ok && raw {
			fmt.Fprintln(w, s)
			continue
		}
		line, err := gojq.Marshal(v)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s\n", line)
	}
}
