// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Expressions;
using Xunit;

namespace Weft.ApiServer.Tests.Expressions;

/// <summary>The expressions that rules of custom kinds are written in.</summary>
public sealed class ExpressionTests
{
    private const string Self =
        """
        {"n":3,"f":1.5,"s":"abc","t":true,"list":[1,2,3],"names":["a","b"],"map":{"k":"v","x-y":"z"},
         "items":[{"name":"a","port":80},{"name":"b","port":443}],"d":"90s","none":null}
        """;

    [Theory]
    [InlineData("self.n == 3 && self.f > 1", true)]
    [InlineData("self.n in [1, 2, 3]", true)]
    [InlineData("'k' in self.map && self.map['k'] == 'v'", true)]
    [InlineData("self.map.x__dash__y == 'z'", true)]
    [InlineData("has(self.n) && !has(self.missing)", true)]
    [InlineData("self.list.all(x, x > 0) && self.list.exists(x, x == 2) && self.list.exists_one(x, x == 2)", true)]
    [InlineData("self.items.map(i, i.port) == [80, 443]", true)]
    [InlineData("self.items.filter(i, i.name != 'a').size() == 1", true)]
    [InlineData("self.items.all(i, self.items.exists_one(j, i.name == j.name))", true)]
    [InlineData("self.list.map(x, x > 1, x * 2) == [4, 6]", true)]
    [InlineData("self.map.all(k, k.size() > 0)", true)]
    [InlineData("self.map.all(k, v, v != '')", true)]
    [InlineData("self.s.startsWith('a') && self.s.endsWith(\"c\") && self.s.contains('b')", true)]
    [InlineData("self.s.matches('^[a-c]+$')", true)]
    [InlineData("self.s.matches(r'^\\w{3}$')", true)]
    [InlineData("size(self.s) == 3 && self.s.upperAscii() == 'ABC'", true)]
    [InlineData("'a,b'.split(',').join('-') == 'a-b'", true)]
    [InlineData("self.s.substring(1, 2) == 'b' && self.s.indexOf('c') == 2", true)]
    [InlineData("duration(self.d) == duration('1m30s') && duration('1h') > duration('59m')", true)]
    [InlineData("timestamp('2026-01-01T00:00:00Z') < timestamp('2026-01-02T00:00:00Z')", true)]
    [InlineData("7 / 2 == 3 && -7 % 3 == -1 && 1 + 2 * 3 == 7", true)]
    [InlineData("self.n > 2 ? self.t : false", true)]
    [InlineData("type(self.n) == int && type(self.s) == string", true)]
    [InlineData("string(self.n) + self.s == '3abc' && int('4') == 4", true)]
    [InlineData("self.list + [4] == [1, 2, 3, 4] && self.list.sum() == 6 && self.list.max() == 3", true)]
    [InlineData("self.?missing.orValue(5) == 5 && self.?n.orValue(5) == 3", true)]
    [InlineData("self.list[?7].hasValue()", false)]
    [InlineData("self.missing == 1 || true", true)]
    [InlineData("false && self.missing == 1", false)]
    [InlineData("self.none == null", true)]
    [InlineData("{'a': 1}.a == 1", true)]
    [InlineData("!(self.n >= 3) // a remark", false)]
    [InlineData("'\\u0041\\n' == 'A\n'", true)]
    public void An_expression_gives_its_value(string text, bool value) => Assert.Equal(value, Evaluate(text));

    [Theory]
    [InlineData("self.missing == 1", "no such key: missing")]
    [InlineData("self.list[9] == 1", "index out of bounds: 9")]
    [InlineData("self.s > 1", "no such overload")]
    [InlineData("1 / 0 == 1", "division by zero")]
    [InlineData("9223372036854775807 + 1 > 0", "integer overflow")]
    [InlineData("nobody == 1", "undeclared reference to 'nobody'")]
    [InlineData("int('x') == 1", "type conversion error from 'string' to 'int': x")]
    public void An_expression_that_fails_says_why(string text, string message) =>
        Assert.Equal(message, Assert.Throws<ExpressionException>(() => Evaluate(text)).Message);

    [Theory]
    [InlineData("self.n ==", "unexpected 'end of the rule'")]
    [InlineData("(self.n", "')' expected")]
    [InlineData("self.n # 3", "unexpected '#'")]
    [InlineData("'open", "the text is not closed")]
    public void An_expression_that_cannot_be_read_names_the_place(string text, string message) =>
        Assert.Contains(message, Assert.Throws<ExpressionException>(() => Evaluate(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_function_that_is_not_known_is_named() =>
        Assert.Contains("sameAs()", Assert.Throws<UnsupportedExpressionException>(() => Evaluate("self.s.sameAs('x')")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("url('https://a.example:8443/x?y=1').getScheme() == 'https' && url('https://a.example:8443/x').getPort() == '8443'", true)]
    [InlineData("isURL('a b') || isURL('/just/a/path')", false)]
    [InlineData("isIP('10.0.0.1') && ip('::1').isLoopback() && ip('10.0.0.1').family() == 4 && !isIP('10.1') && !isIP('::ffff:1.2.3.4')", true)]
    [InlineData("isCIDR('10.0.0.0/8') && cidr('10.0.0.0/8').containsIP('10.9.9.9') && !cidr('10.0.0.0/8').containsCIDR('10.0.0.0/7')", true)]
    [InlineData("isQuantity('500Mi') && quantity('1Gi').isGreaterThan(quantity('500Mi')) && quantity('2').add(quantity('3')).asInteger() == 5", true)]
    public void Kubernetes_own_functions_know_addresses_and_amounts(string text, bool value) => Assert.Equal(value, Evaluate(text));

    [Theory]
    [InlineData("self.missing == 1", "<input>:1:5: undefined field 'missing'\n | self.missing == 1\n | ....^")]
    [InlineData("has(self.missing)", "undefined field 'missing'")]
    [InlineData("self.n == 'three'", "<input>:1:8: found no matching overload for '_==_' applied to '(int, string)'")]
    [InlineData("self.f == 1", "found no matching overload for '_==_' applied to '(double, int)'")]
    [InlineData("self.n && true", "found no matching overload for '_&&_' applied to '(int, bool)'")]
    [InlineData("self.s + 1 == 'a1'", "found no matching overload for '_+_' applied to '(string, int)'")]
    [InlineData("self.n.startsWith('a')", "found no matching overload for 'startsWith' applied to 'int.(string)'")]
    [InlineData("self.s.all(x, true)", "expression of type 'string' cannot be range of a comprehension")]
    [InlineData("self.items.all(i, i.nme == 'a')", "<input>:1:20: undefined field 'nme'")]
    [InlineData("nobody == 1", "undeclared reference to 'nobody'")]
    [InlineData("self.names.exists(x, x == 1)", "applied to '(string, int)'")]
    [InlineData("self.t ? 1 : 'one'", "found no matching overload for '_?_:_'")]
    [InlineData("self.n\n  == 'x'", "<input>:2:3: found no matching overload")]
    public void What_an_expression_can_never_mean_is_found_before_there_is_an_object(string text, string message) => Assert.Contains(
        message,
        Assert.Throws<ExpressionException>(() => TypeChecker.Check(ExpressionParser.Parse(text), text, Shapes())).Message,
        StringComparison.Ordinal);

    [Theory]
    [InlineData("self.n == 3 && self.f > 1")]
    [InlineData("self.n in [1, 2] || 'k' in self.map")]
    [InlineData("self.items.all(i, self.items.exists_one(j, i.name == j.name && i.port == j.port))")]
    [InlineData("self.map.all(k, self.map[k] != '' && k.size() > 0)")]
    [InlineData("(has(self.s) ? 1 : 0) + (has(self.n) ? 1 : 0) <= 1")]
    [InlineData("self.d > duration('1s') && self.?s.orValue('') == ''")]
    [InlineData("self.either == 1 || self.either == 'http'")]
    [InlineData("self.names.join(',').matches('a') && size(self.items) < 3 && self.open.anything == 1")]
    [InlineData("self.items.map(i, i.port).sum() > 0 && self.items.filter(i, i.port > 1).size() == 1")]
    [InlineData("type(self.n) == int && self.s != null")]
    public void What_it_can_mean_is_left_alone(string text) => Assert.Equal(Shape.Bool, TypeChecker.Check(ExpressionParser.Parse(text), text, Shapes()));

    private static Dictionary<string, Shape> Shapes() => new(StringComparer.Ordinal)
    {
        ["self"] = Shape.Of((JsonObject)JsonNode.Parse(
            """
            {"type":"object","properties":{"n":{"type":"integer"},"f":{"type":"number"},"s":{"type":"string"},"t":{"type":"boolean"},
             "d":{"type":"string","format":"duration"},"names":{"type":"array","items":{"type":"string"}},
             "map":{"type":"object","additionalProperties":{"type":"string"}},"either":{"x-kubernetes-int-or-string":true},
             "open":{"type":"object","x-kubernetes-preserve-unknown-fields":true},
             "items":{"type":"array","items":{"type":"object","properties":{"name":{"type":"string"},"port":{"type":"integer"}}}}}}
            """)!),
    };

    [Fact]
    public void An_expression_ends_when_its_budget_does()
    {
        const string Inner = "self.list.all(a, self.list.all(b, self.list.all(c, self.list.all(d, self.list.all(e, a + b + c + d + e > 0)))))";
        var problem = Assert.Throws<ExpressionException>(() =>
            new Evaluator(500).Run(ExpressionParser.Parse(Inner), Variables()));
        Assert.Equal("operation cancelled: actual cost limit exceeded", problem.Message);
    }

    [Fact]
    public void Nesting_is_bounded() =>
        Assert.Throws<ExpressionException>(() => ExpressionParser.Parse(new string('(', 5000) + "1" + new string(')', 5000)));

    private static object? Evaluate(string text) => new Evaluator(100_000).Run(ExpressionParser.Parse(text), Variables());

    private static Dictionary<string, object?> Variables() => new(StringComparer.Ordinal) { ["self"] = JsonNode.Parse(Self) };
}
