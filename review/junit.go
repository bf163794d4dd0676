package review

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// renderJUnit writes a test report, which nearly every CI system shows: a test
// that failed for each refusal and problem, one that passed for each other line.
// There is no standard; the elements are those that Jenkins and GitLab read.
func renderJUnit(r Review, o Options) []byte {
	report := junitReport{Name: "infra review"}
	suites := map[string]int{}
	add := func(suite string, c junitCase) {
		i, known := suites[suite]
		if !known {
			i = len(report.Suites)
			suites[suite] = i
			report.Suites = append(report.Suites, junitSuite{Name: suite})
		}
		c.Class = "infra." + suite
		s := &report.Suites[i]
		s.Cases = append(s.Cases, c)
		s.Tests, report.Tests = s.Tests+1, report.Tests+1
		if c.Failure != nil {
			s.Failures, report.Failures = s.Failures+1, report.Failures+1
		}
	}
	for _, f := range r.findings() {
		c := junitCase{Name: f.title, File: harmless(o.at(f.file)), Line: f.line}
		if f.level != failure {
			c.Output = &f.text
			suite := "access"
			if !strings.HasPrefix(f.rule, "gains/") && !strings.HasPrefix(f.rule, "loses/") && !strings.HasPrefix(f.rule, "keeps/") {
				suite = "other"
			}
			add(suite, c)
			continue
		}
		text := fmt.Sprintf("%s:%d: %s", c.File, f.line, f.text)
		if f.hint != "" {
			text += "\nWhat to do: " + f.hint
		}
		c.Name += ": " + f.text
		c.Failure = &junitFailure{Message: f.text, Type: f.rule, Text: text}
		add("refused", c)
	}
	if report.Tests == 0 {
		add("access", junitCase{Name: r.summary(), File: o.at("infra.yaml"), Line: 1})
	}
	text, err := xml.MarshalIndent(report, "", "  ")
	if err != nil {
		panic(err) // of our own types, all of whose text is plain
	}
	return []byte(xml.Header + string(text) + "\n")
}

type junitReport struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	File    string        `xml:"file,attr"`
	Line    int           `xml:"line,attr"`
	Failure *junitFailure `xml:"failure"`
	Output  *string       `xml:"system-out"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}
