// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Kubernetes;
using Weft.Local.Dns;
using Xunit;

namespace Weft.Local.Tests.Dns;

/// <summary>Hosts of ServiceEntries, which only clients whose proxy takes their connections are answered.</summary>
public sealed class EntryNameTests
{
    private static readonly EntryNames _entries = EntryNames.Compile(
    [
        Entry("shop", "given", 2, """{"hosts":["api.example.com"]}""", """{"addresses":[{"host":"api.example.com","value":"240.240.0.9"}]}"""),
        Entry("bank", "older", 1, """{"hosts":["api.example.com"],"addresses":["192.0.2.1","fd00::1","10.0.0.0/8"]}"""),
        Entry("bank", "private", 1, """{"hosts":["secret.example.com"],"addresses":["192.0.2.2"],"exportTo":["."]}"""),
        Entry("bank", "nobody", 1, """{"hosts":["hidden.example.com"],"addresses":["192.0.2.3"],"exportTo":["~"]}"""),
        Entry("bank", "wide", 1, """{"hosts":["*.example.org"],"addresses":["192.0.2.4"]}"""),
        Entry("bank", "without", 1, """{"hosts":["no.example.com"]}"""),
    ]);

    [Theory]
    [InlineData("api.example.com", "shop", "240.240.0.9")]
    [InlineData("api.example.com", "bank", "192.0.2.1")]
    [InlineData("api.example.com", "other", "192.0.2.1")]
    [InlineData("secret.example.com", "bank", "192.0.2.2")]
    [InlineData("secret.example.com", "shop", null)]
    [InlineData("hidden.example.com", "bank", null)]
    [InlineData("a.b.example.org", "shop", "192.0.2.4")]
    [InlineData("example.org", "shop", null)]
    [InlineData("no.example.com", "bank", null)]
    public void A_name_is_answered_as_the_namespace_sees_it(string name, string ns, string? wanted) =>
        Assert.Equal(wanted, _entries.Find(name, DnsType.A, ns)?.Single().Address!.ToString());

    [Fact]
    public void A_name_without_an_address_of_the_type_exists_all_the_same()
    {
        Assert.Equal("fd00::1", _entries.Find("api.example.com", DnsType.Aaaa, "bank")!.Single().Address!.ToString());
        Assert.Empty(_entries.Find("api.example.com", DnsType.Aaaa, "shop")!);
    }

    [Fact]
    public async Task Only_pods_that_ask_for_it_are_answered_and_their_proxies_never()
    {
        var clients = new DnsClients();
        var server = new DnsServer([new IPEndPoint(IPAddress.Loopback, 53)], UpstreamResolver.Parse(""), clients, new Random(1), NullLogger.Instance);
        server.Apply(_entries);
        clients.Apply(new Change(ChangeType.Added, Pod("10.244.0.5", "a", "true"), null));
        clients.Apply(new Change(ChangeType.Added, Pod("10.244.0.6", "b", "false"), null));
        Assert.Equal(0, await CodeAsync("10.244.0.5"));
        Assert.Equal(2, await CodeAsync("10.244.0.6"));
        Assert.Equal(2, await CodeAsync("10.244.0.7"));
        Assert.Equal(2, await CodeAsync(null));

        // The address of a pod that has gone may be another's already.
        clients.Apply(new Change(ChangeType.Added, Pod("10.244.0.5", "c", "true"), null));
        clients.Apply(new Change(ChangeType.Deleted, Pod("10.244.0.5", "a", "true"), null));
        Assert.Equal(0, await CodeAsync("10.244.0.5"));
        clients.Apply(new Change(ChangeType.Deleted, Pod("10.244.0.5", "c", "true"), null));
        Assert.Equal(2, await CodeAsync("10.244.0.5"));

        async Task<int> CodeAsync(string? client)
        {
            var writer = new DnsWriter();
            writer.Bytes([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
            writer.Name("api.example.com");
            writer.Number((ushort)DnsType.A);
            writer.Number(1);
            var answer = await server.AnswerAsync(writer.ToArray(), tcp: false, client is null ? null : IPAddress.Parse(client), default);
            return answer![3] & 0x0f;
        }
    }

    private static JsonObject Entry(string ns, string name, int day, string spec, string status = "{}") => JsonNode.Parse(
        $$"""{"metadata":{"namespace":"{{ns}}","name":"{{name}}","creationTimestamp":"2026-01-0{{day}}T00:00:00Z"},"spec":{{spec}},"status":{{status}} }""")!.AsObject();

    private static JsonObject Pod(string address, string uid, string captures) => JsonNode.Parse(
        $$"""
        {"metadata":{"namespace":"shop","name":"p","uid":"{{uid}}"},"status":{"podIP":"{{address}}"},
         "spec":{"containers":[{"name":"weft-proxy","env":[{"name":"ISTIO_META_DNS_CAPTURE","value":"{{captures}}"}]}]} }
        """)!.AsObject();
}
