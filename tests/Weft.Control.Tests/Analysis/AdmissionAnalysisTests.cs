// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Control.Analysis;
using Weft.Model.Diagnostics;

namespace Weft.Control.Tests.Analysis;

/// <summary>What a write is told about the mesh that it goes into, and what that costs.</summary>
public sealed class AdmissionAnalysisTests
{
    private readonly Dictionary<(string, string, string), JsonObject> _store = [];
    private int _read;

    [Fact]
    public void A_route_is_told_what_is_missing_and_nothing_when_it_is_there()
    {
        Assert.Equal([CompilerMessages.UnknownHost.Id], Ids(Route("""{"host":"reviews","subset":"v1"}""")));
        Put("services", "shop", "reviews", """{"spec":{"clusterIP":"10.96.0.1","ports":[{"name":"http","port":80}]} }""");
        Assert.Equal([CompilerMessages.UnknownSubset.Id], Ids(Route("""{"host":"reviews","subset":"v1"}""")));
        Put("destinationrules.networking.istio.io", "shop", "reviews", """{"spec":{"host":"reviews","subsets":[{"name":"v1","labels":{"version":"v1"} }]} }""");
        Assert.Empty(Ids(Route("""{"host":"reviews","subset":"v1"}""")));
        Assert.Equal([CompilerMessages.UnknownPort.Id], Ids(Route("""{"host":"reviews","port":{"number":81} }""")));
        Assert.Equal([CompilerMessages.UnknownGateway.Id], Ids(Route("""{"host":"reviews"}""", ""","gateways":["edge"]""")));

        // Nobody looked for hosts of the outside, so nothing is said of them.
        Assert.Empty(Ids(Route("""{"host":"api.example.com"}""")));
    }

    [Fact]
    public void However_large_the_mesh_is_a_write_reads_a_fixed_number_of_objects()
    {
        for (var i = 0; i < 5_000; i++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"s{i}");
            Put("services", "shop", name, """{"spec":{"clusterIP":"10.96.0.1","ports":[{"name":"http","port":80}]} }""");
            Put("destinationrules.networking.istio.io", "shop", name, $$"""{"spec":{"host":"{{name}}"} }""");
        }

        var destinations = string.Join("},{\"destination\":", Enumerable.Range(0, 100).Select(i => $"{{\"host\":\"s{i}\",\"subset\":\"v1\"}},\"weight\":1"));

        // A subset may be in a rule that was not read: nobody says that it is missing.
        Assert.Empty(Ids(Route(destinations)));
        Assert.InRange(_read, 1, AdmissionAnalysis.MaxNamed + AdmissionAnalysis.MaxRules + 1);
    }

    private IEnumerable<string> Ids(JsonObject item) => AdmissionAnalysis.Run(
        item,
        (resource, ns, name) =>
        {
            _read++;
            return _store.GetValueOrDefault((resource, ns, name));
        },
        (resource, ns) => _store.Where(pair => pair.Key.Item1 == resource && pair.Key.Item2 == ns).Select(pair =>
        {
            _read++;
            return pair.Value;
        })).Select(finding => finding.Id);

    private void Put(string resource, string ns, string name, string text)
    {
        var item = JsonNode.Parse(text)!.AsObject();
        item["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = ns };
        _store[(resource, ns, name)] = item;
    }

    private static JsonObject Route(string destination, string more = "") => JsonNode.Parse(
        $$$"""
        {"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"reviews","namespace":"shop"},
         "spec":{"hosts":["reviews.example.com"]{{{more}}},"http":[{"route":[{"destination":{{{destination}}} }]}]} }
        """)!.AsObject();
}
