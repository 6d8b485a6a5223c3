// Package templatecheck finds what a template asks of its data that the data
// does not have. It reads the parsed template and the types of the data, so that
// it also checks branches that a test run would not reach.
package templatecheck

import (
	"fmt"
	"html/template"
	"reflect"
	"text/template/parse"

	"github.com/linktrackhq/linktrack/internal/nearest"
)

// A Checker checks the templates of one set.
type Checker struct {
	// Set has the templates. They must not have been executed yet.
	Set *template.Template

	// Funcs are the functions of the set, besides those that all templates have.
	Funcs template.FuncMap

	// Types are the types of fields that are declared as any, by "Struct.Field".
	// What is in another field of type any is not checked.
	Types map[string]reflect.Type

	// Call is called for each call of one of Funcs. The error is that of the
	// template. nil: no further checks.
	Call func(name string, args []parse.Node) error

	done      map[visit]bool
	tree      *parse.Tree
	variables []variable
}

// A visit is a template with a type of its data: each is checked once.
type visit struct {
	name string
	data reflect.Type
}

type variable struct {
	name string
	of   reflect.Type
}

// unknown is the type of what cannot be known before the template is executed.
// Nothing is checked of it.
var unknown reflect.Type

// Check returns the first fault of a template that gets data of a type, and of
// all templates that it uses:
//   - a field or a method that the data does not have,
//   - a call with the wrong number of arguments, or with one of a wrong type,
//   - a range over what has no elements,
//   - a template that does not exist.
func (c *Checker) Check(name string, data reflect.Type) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case fault:
			err = r.error
		default:
			panic(r)
		}
	}()
	c.done = make(map[visit]bool)
	c.template(name, data)
	return nil
}

// A fault ends a check.
type fault struct{ error }

func (c *Checker) fail(at parse.Node, format string, args ...any) {
	place, text := c.tree.ErrorContext(at)
	panic(fault{fmt.Errorf("%s: {{%s}}: %w", place, text, fmt.Errorf(format, args...))})
}

func (c *Checker) template(name string, data reflect.Type) {
	if c.done[visit{name, data}] {
		return
	}
	c.done[visit{name, data}] = true
	tree, variables := c.tree, c.variables
	defer func() { c.tree, c.variables = tree, variables }()
	c.tree, c.variables = c.Set.Lookup(name).Tree, []variable{{"$", data}}
	c.node(c.tree.Root, data)
}

func (c *Checker) node(n parse.Node, dot reflect.Type) {
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, part := range n.Nodes {
			c.node(part, dot)
		}
	case *parse.ActionNode:
		c.pipe(n.Pipe, dot)
	case *parse.IfNode:
		defer c.scope()()
		c.pipe(n.Pipe, dot)
		c.node(n.List, dot)
		c.node(n.ElseList, dot)
	case *parse.WithNode:
		defer c.scope()()
		c.node(n.List, c.pipe(n.Pipe, dot))
		c.node(n.ElseList, dot)
	case *parse.RangeNode:
		c.loop(n, dot)
	case *parse.TemplateNode:
		data := unknown
		if n.Pipe != nil {
			data = c.pipe(n.Pipe, dot)
		}
		if t := c.Set.Lookup(n.Name); t == nil || t.Tree == nil {
			c.fail(n, "there is no template %q", n.Name)
		}
		c.template(n.Name, data)
	}
}

// scope ends with the function that it returns: variables that are declared
// meanwhile are gone then.
func (c *Checker) scope() func() {
	before := len(c.variables)
	return func() { c.variables = c.variables[:before] }
}

func (c *Checker) loop(n *parse.RangeNode, dot reflect.Type) {
	defer c.scope()()
	over := unknown
	for _, command := range n.Pipe.Cmds {
		over = c.command(command, dot, over, command != n.Pipe.Cmds[0])
	}
	key, element := unknown, unknown
	if over != unknown {
		switch t := indirect(over); t.Kind() {
		case reflect.Slice, reflect.Array:
			key, element = reflect.TypeFor[int](), t.Elem()
		case reflect.Map:
			key, element = t.Key(), t.Elem()
		case reflect.Chan:
			element = t.Elem()
		case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
			key, element = t, t
		case reflect.Func, reflect.Interface, reflect.String:
		default:
			c.fail(n.Pipe, "%v has no elements", over)
		}
	}
	types := []reflect.Type{key, element}
	for i, v := range n.Pipe.Decl {
		c.variables = append(c.variables, variable{v.Ident[0], types[i+2-len(n.Pipe.Decl)]})
	}
	c.node(n.List, element)
	c.node(n.ElseList, dot)
}

// pipe returns the type of what a pipeline is.
func (c *Checker) pipe(n *parse.PipeNode, dot reflect.Type) reflect.Type {
	value := unknown
	for i, command := range n.Cmds {
		value = c.command(command, dot, value, i > 0)
	}
	for _, v := range n.Decl {
		if n.IsAssign { // perhaps in a branch only
			c.variables = append(c.variables, variable{v.Ident[0], unknown})
			continue
		}
		c.variables = append(c.variables, variable{v.Ident[0], value})
	}
	return value
}

// command returns the type of what a command is. last is the type of what the
// pipeline gives it as its last argument, if it does.
func (c *Checker) command(n *parse.CommandNode, dot, last reflect.Type, piped bool) reflect.Type {
	types := make([]reflect.Type, 0, len(n.Args))
	for _, arg := range n.Args[1:] {
		types = append(types, c.value(arg, dot))
	}
	if piped {
		types = append(types, last)
	}
	switch first := n.Args[0].(type) {
	case *parse.IdentifierNode:
		return c.call(n, first.Ident, types)
	case *parse.FieldNode:
		return c.chain(first, dot, first.Ident, types)
	case *parse.VariableNode:
		return c.chain(first, c.variable(first.Ident[0]), first.Ident[1:], types)
	case *parse.ChainNode:
		return c.chain(first, c.value(first.Node, dot), first.Field, types)
	default:
		return c.value(first, dot)
	}
}

// value returns the type of an argument.
func (c *Checker) value(n parse.Node, dot reflect.Type) reflect.Type {
	switch n := n.(type) {
	case *parse.DotNode:
		return dot
	case *parse.FieldNode:
		return c.chain(n, dot, n.Ident, nil)
	case *parse.VariableNode:
		return c.chain(n, c.variable(n.Ident[0]), n.Ident[1:], nil)
	case *parse.ChainNode:
		return c.chain(n, c.value(n.Node, dot), n.Field, nil)
	case *parse.PipeNode:
		return c.pipe(n, dot)
	case *parse.IdentifierNode:
		return c.call(n, n.Ident, nil)
	case *parse.StringNode:
		return reflect.TypeFor[string]()
	case *parse.BoolNode:
		return reflect.TypeFor[bool]()
	}
	return unknown // a number fits where it fits
}

func (c *Checker) variable(name string) reflect.Type {
	for i := len(c.variables) - 1; i >= 0; i-- {
		if c.variables[i].name == name {
			return c.variables[i].of
		}
	}
	return unknown
}

// call returns the type of what a function returns.
func (c *Checker) call(at parse.Node, name string, args []reflect.Type) reflect.Type {
	f, ok := c.Funcs[name]
	if !ok {
		return builtin(name, args)
	}
	if command, ok := at.(*parse.CommandNode); ok && c.Call != nil {
		if err := c.Call(name, command.Args[1:]); err != nil {
			c.fail(at, "%w", err)
		}
	}
	return c.result(at, name, reflect.TypeOf(f), 0, args)
}

// builtin returns the type of what a function that all templates have returns.
func builtin(name string, args []reflect.Type) reflect.Type {
	switch name {
	case "print", "printf", "println", "html", "js", "urlquery":
		return reflect.TypeFor[string]()
	case "len":
		return reflect.TypeFor[int]()
	case "not", "eq", "ne", "lt", "le", "gt", "ge":
		return reflect.TypeFor[bool]()
	case "index":
		if len(args) == 2 && args[0] != unknown {
			switch t := indirect(args[0]); t.Kind() {
			case reflect.Slice, reflect.Array, reflect.Map:
				return t.Elem()
			}
		}
	}
	return unknown
}

// result checks the arguments of a function, behind those that are the
// receiver of a method, and returns the type of its result.
func (c *Checker) result(at parse.Node, name string, f reflect.Type, receivers int, args []reflect.Type) reflect.Type {
	want := f.NumIn() - receivers
	if f.IsVariadic() {
		if len(args) < want-1 {
			c.fail(at, "%s needs %d arguments or more, not %d", name, want-1, len(args))
		}
	} else if len(args) != want {
		c.fail(at, "%s needs %d arguments, not %d", name, want, len(args))
	}
	for i, arg := range args {
		var param reflect.Type
		if f.IsVariadic() && i >= want-1 {
			param = f.In(f.NumIn() - 1).Elem()
		} else {
			param = f.In(i + receivers)
		}
		if arg != unknown && arg.Kind() != reflect.Interface && !arg.AssignableTo(param) &&
			!reflect.PointerTo(arg).AssignableTo(param) && !(arg.Kind() == reflect.Pointer && arg.Elem().AssignableTo(param)) {
			c.fail(at, "%s needs a value of type %v, not %v", name, param, arg)
		}
	}
	return f.Out(0)
}

// chain returns the type of the last of some fields, of which each is of the
// one before. args are for the last.
func (c *Checker) chain(at parse.Node, of reflect.Type, fields []string, args []reflect.Type) reflect.Type {
	for i, name := range fields {
		var given []reflect.Type
		if i == len(fields)-1 {
			given = args
		}
		if of == unknown {
			return unknown
		}
		of = c.field(at, of, name, given)
	}
	return of
}

func (c *Checker) field(at parse.Node, of reflect.Type, name string, args []reflect.Type) reflect.Type {
	if of.Kind() == reflect.Interface {
		if m, ok := of.MethodByName(name); ok {
			return c.result(at, name, m.Type, 0, args)
		}
		return unknown
	}
	t := indirect(of)
	if m, ok := reflect.PointerTo(t).MethodByName(name); ok {
		return c.result(at, name, m.Type, 1, args)
	}
	switch t.Kind() {
	case reflect.Struct:
		f, ok := t.FieldByName(name)
		if !ok || !f.IsExported() {
			c.fail(at, "%s has no field %s%s", t.Name(), name, nearest.Suggestion(name, names(t)))
		}
		if len(args) > 0 {
			c.fail(at, "%s is a field, which takes no arguments", name)
		}
		if other, ok := c.Types[t.Name()+"."+name]; ok && f.Type.Kind() == reflect.Interface {
			return other
		}
		return f.Type
	case reflect.Map:
		if t.Key().Kind() == reflect.String {
			return t.Elem()
		}
	case reflect.Interface:
		return unknown
	}
	c.fail(at, "%v has no field %s", of, name)
	return unknown
}

// names are those of the fields and methods of a struct.
func names(t reflect.Type) (all []string) {
	for _, f := range reflect.VisibleFields(t) {
		if f.IsExported() {
			all = append(all, f.Name)
		}
	}
	for m := range reflect.PointerTo(t).Methods() {
		all = append(all, m.Name)
	}
	return all
}

func indirect(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}
