// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Model.Plan;
using Weft.Protocols.Http1;
using Weft.Proxy.Balancing;
using Weft.Proxy.Io;
using Weft.Proxy.Routing;
using Xunit;

namespace Weft.Proxy.Tests.Routing;

public sealed class HashPoliciesTests
{
    private static readonly HashPolicyPlan _user = new(HashSource.Header, "x-user", "", -1, false);
    private static readonly HashPolicyPlan _cookie = new(HashSource.Cookie, "session", "/", -1, false);
    private static readonly HashPolicyPlan _address = new(HashSource.SourceAddress, "", "", -1, false);
    private static readonly HashPolicyPlan _query = new(HashSource.QueryParameter, "id", "", -1, false);

    [Theory]
    [InlineData("x-user: ann\r\n", "ann")]
    [InlineData("X-User: ann\r\n", "ann")]
    [InlineData("x-user: \r\n", "")]
    [InlineData("x-users: ann\r\n", null)]
    [InlineData("", null)]
    public void A_header_is_hashed_by_its_value(string fields, string? hashed) => Holds(fields, "/", hashed, _user);

    [Theory]
    [InlineData(":authority", "shop")]
    [InlineData(":path", "/a?id=1")]
    [InlineData(":method", "GET")]
    [InlineData(":scheme", null)]
    public void Parts_of_the_request_line_are_headers_too(string name, string? hashed) =>
        Holds("", "/a?id=1", hashed, _user with { Name = name });

    [Theory]
    [InlineData("cookie: session=abc\r\n", "abc")]
    [InlineData("cookie: a=b; session=abc; c=d\r\n", "abc")]
    [InlineData("cookie: a=b\r\ncookie: session=\"abc\"\r\n", "abc")]
    [InlineData("cookie: xsession=abc; session=\r\n", null)]
    [InlineData("cookie: session\r\n", null)]
    public void A_cookie_is_hashed_by_its_value(string fields, string? hashed) => Holds(fields, "/", hashed, _cookie);

    [Theory]
    [InlineData("/?id=1&id=2", "1")]
    [InlineData("/?a=b&id=x%20y", "x%20y")]
    [InlineData("/?id", "")]
    [InlineData("/?ID=1", null)]
    [InlineData("/", null)]
    public void A_query_parameter_is_hashed_by_its_value(string target, string? hashed) => Holds("", target, hashed, _query);

    [Fact]
    public void Without_a_ttl_no_cookie_is_made_and_with_one_its_value_is_what_will_be_hashed_next_time()
    {
        Assert.Null(Hash("", "/", out var cookie, _cookie));
        Assert.True(cookie.IsNone);
        var hash = Hash("", "/", out cookie, _cookie with { TtlMs = 0, Path = "/p" });
        Assert.Equal((0L, "/p"), (cookie.MaxAge, Encoding.ASCII.GetString(cookie.Path)));
        var value = new byte[MadeCookie.ValueLength];
        cookie.FormatValue(value);
        var text = Encoding.ASCII.GetString(value);
        Assert.Matches("^[0-9a-f]{16}$", text);
        Assert.Equal(hash, Hash($"cookie: session={text}\r\n", "/", out var again, _cookie with { TtlMs = 0 }));
        Assert.True(again.IsNone);
        Assert.Equal(90L, Made(90_999).MaxAge);
    }

    [Fact]
    public void What_several_policies_find_is_mixed_up_to_the_terminal_one()
    {
        var user = XxHash64.Of("ann"u8);
        var id = XxHash64.Of("1"u8);
        Assert.Equal(user, Hash("x-user: ann\r\n", "/?id=1", out _, _user with { Terminal = true }, _query));
        Assert.Equal(id, Hash("", "/?id=1", out _, _user with { Terminal = true }, _query));
        Assert.Equal(((user << 1) | (user >> 63)) ^ id, Hash("x-user: ann\r\n", "/?id=1", out _, _user, _query));
        Assert.Equal(XxHash64.Of("10.200.0.7"u8), Hash("", "/", out _, _user, _address, _query));
    }

    private static MadeCookie Made(long ttlMs)
    {
        Hash("", "/", out var cookie, _cookie with { TtlMs = ttlMs });
        return cookie;
    }

    private static void Holds(string fields, string target, string? hashed, params HashPolicyPlan[] plans) => Assert.Equal(
        hashed is null ? null : XxHash64.Of(Encoding.ASCII.GetBytes(hashed)), Hash(fields, target, out _, plans));

    private static ulong? Hash(string fields, string target, out MadeCookie cookie, params HashPolicyPlan[] plans)
    {
        var bytes = Encoding.ASCII.GetBytes($"GET {target} HTTP/1.1\r\nhost: shop\r\n{fields}\r\n");
        var head = new RequestHead();
        Assert.Equal(ParseStatus.Done, Http1Parser.TryParseRequest(bytes, head, Http1Rules.Default));
        cookie = default;
        return HashPolicies.Compile([.. plans])!.Hash(new RouteRequest(head, bytes, "http"u8), IpEndpoint.V4(0x0AC80007, 4711), new Random(1), ref cookie);
    }
}
