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
        Assert.Contains("quantity()", Assert.Throws<UnsupportedExpressionException>(() => Evaluate("quantity(self.s) > 1")).Message, StringComparison.Ordinal);

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
