// SPDX-License-Identifier: Apache-2.0

using System.Net;
using Weft.Model.Plan;
using Weft.Proxy.Names;
using Xunit;

namespace Weft.Proxy.Tests.Names;

/// <summary>Endpoints that are names: found by DNS, over real sockets.</summary>
public sealed class NameTests
{
    private const string Get = "GET / HTTP/1.1\r\nhost: shop\r\n\r\n";

    [Fact]
    public async Task A_name_is_asked_with_its_time_over_udp_and_over_tcp_where_the_answer_is_long()
    {
        using var dns = new TestDns();
        dns.Names["shop.example"] = (["192.0.2.2", "192.0.2.1"], 30);
        var resolver = new NameResolver(dns.Settings);
        foreach (var truncates in new[] { false, true })
        {
            dns.Truncates = truncates;
            var answer = await resolver.AskAsync("shop.example", default);
            Assert.Equal(["192.0.2.1", "192.0.2.2"], answer!.Addresses);
            Assert.Equal(30_000, answer.TtlMs);
        }
    }

    [Fact]
    public async Task A_name_without_ipv4_has_its_ipv6_addresses_and_one_that_is_not_there_has_none()
    {
        using var dns = new TestDns();
        dns.Names["six.example"] = (["2001:db8::1"], 5);
        var resolver = new NameResolver(dns.Settings);
        Assert.Equal(["2001:db8::1"], (await resolver.AskAsync("six.example", default))!.Addresses);
        Assert.Empty((await resolver.AskAsync("nowhere.example", default))!.Addresses);
    }

    [Fact]
    public async Task The_hosts_file_comes_first_and_a_name_that_cannot_be_one_is_not_asked()
    {
        using var dns = new TestDns();
        var resolver = new NameResolver(dns.Settings);
        Assert.Equal(["192.0.2.44"], (await resolver.AskAsync("Listed.Example", default))!.Addresses);
        Assert.Null(await resolver.AskAsync($"{new string('a', 64)}.example", default));
        Assert.Empty(dns.Asked);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(12)]
    [InlineData(40)]
    public void An_answer_that_ends_early_is_none(int length)
    {
        var question = DnsMessages.Question(7, "a.example", DnsMessages.A)!;
        byte[] answer = [.. question, 0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 1];
        answer[2] = 0x80;
        answer[7] = 1;
        Assert.Equal(["192.0.2.1"], DnsMessages.Answer(answer, question, DnsMessages.A, out _)!.Addresses);
        Assert.Null(DnsMessages.Answer(answer.AsSpan(0, length), question, DnsMessages.A, out _));
    }

    [Fact]
    public void No_bytes_whatever_break_the_reader_of_answers()
    {
        var random = new Random(7);
        var question = DnsMessages.Question(7, "a.example", DnsMessages.A)!;
        byte[] good = [.. question, 0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 1];
        for (var i = 0; i < 50_000; i++)
        {
            var bytes = good[..random.Next(good.Length + 1)];
            for (var change = random.Next(6); change > 0 && bytes.Length > 0; change--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            var answer = DnsMessages.Answer(bytes, question, DnsMessages.A, out _);
            Assert.All(answer?.Addresses ?? [], address => Assert.True(IPAddress.TryParse(address, out _)));
        }
    }

    [Fact]
    public void A_request_goes_to_an_address_of_the_name_and_to_another_one_when_dns_says_so()
    {
        using var dns = new TestDns();
        using var first = new TestOrigin(Answer("first"), IPAddress.Parse("127.0.0.21"), 0);
        using var second = new TestOrigin(Answer("second"), IPAddress.Parse("127.0.0.22"), first.Port);
        dns.Names["shop.example"] = (["127.0.0.21"], 1);
        using var setting = new Setting(dns, first.Port, ClusterKind.Dns);
        Assert.EndsWith("first", setting.Ask(), StringComparison.Ordinal);
        dns.Names["shop.example"] = (["127.0.0.22"], 1);
        Assert.True(SpinWait.SpinUntil(() => setting.Ask().EndsWith("second", StringComparison.Ordinal), 10_000));
    }

    [Fact]
    public void All_addresses_are_used_or_one_as_the_cluster_says()
    {
        using var dns = new TestDns();
        using var first = new TestOrigin(Answer("first"), IPAddress.Parse("127.0.0.21"), 0);
        using var second = new TestOrigin(Answer("second"), IPAddress.Parse("127.0.0.22"), first.Port);
        dns.Names["shop.example"] = (["127.0.0.21", "127.0.0.22"], 60);
        using var all = new Setting(dns, first.Port, ClusterKind.Dns);
        Assert.Equal(2, Enumerable.Range(0, 10).Select(_ => all.Ask()[^5..]).Distinct().Count());
        using var one = new Setting(dns, first.Port, ClusterKind.DnsRoundRobin);
        Assert.Single(Enumerable.Range(0, 10).Select(_ => one.Ask()[^5..]).Distinct());
    }

    [Fact]
    public void A_name_that_cannot_be_resolved_keeps_its_last_addresses_and_one_that_is_gone_has_none()
    {
        using var dns = new TestDns();
        using var origin = new TestOrigin(Answer("first"), IPAddress.Parse("127.0.0.21"), 0);
        dns.Names["shop.example"] = (["127.0.0.21"], 1);
        using var setting = new Setting(dns, origin.Port, ClusterKind.Dns);
        Assert.EndsWith("first", setting.Ask(), StringComparison.Ordinal);
        dns.IsSilent = true;
        var asked = dns.Asked["shop.example"];
        Assert.EndsWith("first", setting.Ask(), StringComparison.Ordinal);
        dns.IsSilent = false;
        Assert.True(SpinWait.SpinUntil(() => dns.Asked["shop.example"] > asked, 20_000));
        Assert.EndsWith("first", setting.Ask(), StringComparison.Ordinal);
        dns.Names.TryRemove("shop.example", out _);
        Assert.True(SpinWait.SpinUntil(() => setting.Ask().EndsWith("no healthy upstream", StringComparison.Ordinal), 10_000));
    }

    [Fact]
    public void A_name_that_no_plan_has_any_more_is_not_asked_again()
    {
        using var dns = new TestDns();
        dns.Names["shop.example"] = (["127.0.0.21"], 1);
        using var setting = new Setting(dns, 1, ClusterKind.Dns);
        Assert.Null(setting.Proxy.Runtime.Apply(ProxyPlan.Empty));
        var asked = dns.Asked["shop.example"];
        Assert.False(SpinWait.SpinUntil(() => dns.Asked["shop.example"] > asked + 1, 2500));
    }

    private static Action<Peer> Answer(string body) => peer =>
    {
        while (peer.ReadRequest() is not null)
        {
            peer.Write(TestOrigin.Response(body.PadLeft(6)));
        }
    };

    private sealed class Setting : IDisposable
    {
        private readonly Peer _client;

        internal Setting(TestDns dns, int originPort, ClusterKind kind)
        {
            var port = TestProxy.FreePort();
            var cluster = Plans.Cluster("origin") with
            {
                Kind = kind,
                DnsRefreshMs = 60_000,
                StaticEndpoints = [new EndpointPlan("shop.example", originPort, 1, true, false, null)],
            };
            Proxy = new TestProxy(Plans.Http(port, Plans.Forward("origin")).With(cluster), options: chosen => chosen with { Names = dns.Settings });
            _client = Peer.Connect(port);
        }

        internal TestProxy Proxy { get; }

        public void Dispose()
        {
            _client.Dispose();
            Proxy.Dispose();
        }

        internal string Ask()
        {
            _client.Write(Get);
            return _client.ReadMessage()!;
        }
    }
}
