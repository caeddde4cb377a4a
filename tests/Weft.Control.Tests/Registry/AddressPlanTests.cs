// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Control.Registry;

namespace Weft.Control.Tests.Registry;

/// <summary>Addresses that the mesh gives to hosts of ServiceEntries.</summary>
public sealed class AddressPlanTests
{
    [Fact]
    public void Each_host_gets_an_address_of_its_own_and_keeps_it()
    {
        var entry = Entry("a", """{"hosts":["one.example.com","two.example.com"],"resolution":"DNS"}""");
        var given = Assert.Single(AddressPlan.Make([entry]).Changes).Addresses;
        var addresses = given.Select(a => (string)a!["value"]!).ToList();
        Assert.Equal(2, addresses.Distinct().Count());
        Assert.All(addresses, a => Assert.Matches(@"^240\.240\.\d+\.\d+$", a));
        Assert.Equal(["one.example.com", "two.example.com"], given.Select(a => (string)a!["host"]!));
        entry["status"] = new JsonObject { ["addresses"] = given.DeepClone() };
        Assert.Empty(AddressPlan.Make([entry]).Changes);
    }

    [Theory]
    [InlineData("""{"hosts":["*.example.com"],"resolution":"STATIC"}""", null)]
    [InlineData("""{"hosts":["a.example.com"],"resolution":"NONE"}""", null)]
    [InlineData("""{"hosts":["a.example.com"]}""", null)]
    [InlineData("""{"hosts":["a.example.com"],"resolution":"DNS","addresses":["192.0.2.1"]}""", null)]
    [InlineData("""{"hosts":["a.example.com"],"resolution":"DNS"}""", "false")]
    public void Nobody_else_gets_one_and_who_has_one_loses_it(string spec, string? label)
    {
        var entry = Entry("a", spec, label);
        Assert.Empty(AddressPlan.Make([entry]).Changes);
        entry["status"] = JsonNode.Parse("""{"addresses":[{"value":"240.240.0.1","host":"a.example.com"}]}""");
        Assert.Empty(Assert.Single(AddressPlan.Make([entry]).Changes).Addresses);
    }

    [Fact]
    public void Of_two_entries_with_one_address_the_older_keeps_it()
    {
        var status = """{"addresses":[{"value":"240.240.0.1","host":"a.example.com"}]}""";
        var young = Entry("a", """{"hosts":["a.example.com"],"resolution":"DNS"}""", day: 2);
        var old = Entry("b", """{"hosts":["a.example.com"],"resolution":"DNS"}""", day: 1);
        (young["status"], old["status"]) = (JsonNode.Parse(status), JsonNode.Parse(status));
        var (entry, addresses) = Assert.Single(AddressPlan.Make([young, old]).Changes);
        Assert.Same(young, entry);
        Assert.NotEqual("240.240.0.1", (string)addresses[0]!["value"]!);
    }

    [Fact]
    public void When_all_are_given_the_rest_is_told()
    {
        var hosts = new JsonArray([.. Enumerable.Range(0, AddressPlan.Size + 3).Select(i => JsonValue.Create($"h{i}.example.com"))]);
        var entry = Entry("a", "{}");
        entry["spec"] = new JsonObject { ["hosts"] = hosts, ["resolution"] = "DNS" };
        var (changes, left) = AddressPlan.Make([entry]);
        Assert.Equal(3, left);
        Assert.Equal(AddressPlan.Size, changes[0].Addresses.Select(a => (string)a!["value"]!).Distinct().Count());
    }

    private static JsonObject Entry(string name, string spec, string? label = null, int day = 1)
    {
        var entry = JsonNode.Parse(
            $$"""{"metadata":{"namespace":"shop","name":"{{name}}","creationTimestamp":"2026-01-0{{day}}T00:00:00Z","labels":{} },"spec":{{spec}} }""")!.AsObject();
        if (label is not null)
        {
            entry["metadata"]!["labels"]![AddressPlan.Switch] = label;
        }

        return entry;
    }
}
