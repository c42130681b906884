// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fairlead/fairlead/compiler/diag"
)

// formHelp says in words what the patterns of our schemas demand.
var formHelp = map[string]string{
	`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`:                                          "use lower-case letters, digits and dashes, with a letter or digit at both ends",
	`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`:        "use lower-case letters, digits, dashes and dots, with a letter or digit at both ends",
	`^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`: "write a DNS name in lower case, like www.example.com, or *.example.com",
	`^[A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?$`:                               "use letters, digits, dashes, dots and underscores, with a letter or digit at both ends",
	`^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$`:                                   "write the 32 bytes of a WireGuard public key in base64, as \"wg pubkey\" prints them",
	`^[-._a-zA-Z0-9]+$`:                                                        "use letters, digits, dashes, dots and underscores",
	`^([0-9]+(ms|s|m|h))+$`:                                                    "write it like 500ms, 30s or 1m30s",
	`^(100|[1-9]?[0-9])%$`:                                                     "write a whole number from 0% to 100%, with the sign",
	`^[1-9][0-9]{0,4}(-[1-9][0-9]{0,4})?$`:                                     "write one port in quotes, like \"51820\", or a range, like 51820-51835",
	`^(auto|[1-9][0-9]{3})$`:                                                   "write auto, or a number from 1280 to 9000 in quotes",
}

// integer checks a whole number.
func (c *checker) integer(n *node, s *schema, p place) any {
	if n.kind == scalarNode && n.tag == "!!str" {
		if _, err := strconv.ParseInt(n.text, 10, 64); err == nil {
			c.wrongType(n, p, "an integer", fmt.Sprintf("write %s without quotes", n.text))
			return nil
		}
	}
	if n.kind != scalarNode || n.tag != "!!int" {
		c.wrongType(n, p, "an integer", "write "+allowedNumbers(s))
		return nil
	}
	v, err := strconv.ParseInt(n.text, 0, 64)
	if err != nil || v < *s.Minimum || v > *s.Maximum {
		c.report(p, diag.CodeRange, fmt.Sprintf("%s cannot be %s", p.name(), n.text), "write "+allowedNumbers(s))
		return nil
	}
	c.right = append(c.right, value{p.path, strconv.FormatInt(v, 10), p.at, s})
	return v
}

// boolean checks a truth value. YAML 1.1 had more words for them; Kubernetes
// and YAML 1.2 have two.
func (c *checker) boolean(n *node, s *schema, p place) any {
	if n.kind != scalarNode || n.tag != "!!bool" {
		c.wrongType(n, p, "a boolean", "write true or false, without quotes")
		return nil
	}
	v, err := strconv.ParseBool(n.text)
	if err != nil {
		c.report(p, diag.CodeType, fmt.Sprintf("%s cannot be %s", p.name(), quote(n.text)), "write true or false, in lower case")
		return nil
	}
	c.right = append(c.right, value{p.path, strconv.FormatBool(v), p.at, s})
	return v
}

func allowedNumbers(s *schema) string {
	return fmt.Sprintf("a whole number from %d to %d", *s.Minimum, *s.Maximum)
}

// str checks a text. At most one mistake of it is reported.
func (c *checker) str(n *node, s *schema, p place) any {
	if n.kind != scalarNode {
		c.wrongType(n, p, "a string", "write one value")
		return nil
	}
	if !isString(n.tag) {
		fix := fmt.Sprintf("write %q, with the quotes", n.text)
		if s.Pattern != nil && !s.Pattern.MatchString(n.text) {
			fix = formHelp[s.Pattern.String()]
		} else if len(s.Enum) > 0 {
			fix = "allowed: " + strings.Join(s.Enum, ", ")
		}
		c.wrongType(n, p, "a string", fix)
		return nil
	}
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, n.text) {
		fix := "allowed: " + strings.Join(s.Enum, ", ")
		if near, ok := c.guess(n.text, s.Enum); ok {
			fix = fmt.Sprintf("did you mean %q? %s", near, fix)
		}
		c.report(p, diag.CodeEnum, fmt.Sprintf("%s cannot be %q", p.name(), shorten(n.text)), fix)
		return nil
	}
	if !c.count(utf8.RuneCountInString(n.text), [2]*int{s.MinLength, s.MaxLength}, "characters", p) {
		return nil
	}
	if s.Pattern != nil && !s.Pattern.MatchString(n.text) {
		c.report(p, diag.CodeForm, fmt.Sprintf("%s cannot be %q", p.name(), shorten(n.text)), formHelp[s.Pattern.String()])
		return nil
	}
	c.right = append(c.right, value{p.path, n.text, p.at, s})
	return n.text
}

// oneLine makes visible what would break a line or a terminal, because messages
// repeat what users wrote.
func oneLine(text string) string {
	plain := func(r rune) bool { return r == '"' || r == '\\' || strconv.IsPrint(r) }
	if strings.IndexFunc(text, func(r rune) bool { return !plain(r) }) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if plain(r) {
			b.WriteRune(r)
			continue
		}
		b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
	}
	return b.String()
}

// quote puts text in quotes, and numbers in none.
func quote(text string) string {
	if _, err := strconv.Atoi(text); err == nil {
		return text
	}
	return strconv.Quote(shorten(text))
}

// maxQuoted bounds how many characters of the user's text a message repeats.
const maxQuoted = 60

func shorten(text string) string {
	if r := []rune(text); len(r) > maxQuoted {
		return string(r[:maxQuoted]) + "…"
	}
	return text
}
