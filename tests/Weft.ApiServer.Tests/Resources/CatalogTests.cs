// SPDX-License-Identifier: Apache-2.0

using Weft.ApiServer.Resources;
using Xunit;

namespace Weft.ApiServer.Tests.Resources;

/// <summary>Kinds that come and go while the server runs.</summary>
public sealed class CatalogTests
{
    [Fact]
    public void Kinds_of_the_run_time_come_replace_built_in_ones_and_go()
    {
        var catalog = ResourceCatalog.Default();
        var count = catalog.All.Count;
        var widget = catalog.Get("pods") with { Group = "example.com", Plural = "widgets", Kind = "Widget" };
        var gateway = catalog.Get("gateways.networking.istio.io") with { ShortNames = ["mine"] };
        catalog.SetCustom([widget, gateway]);
        Assert.Equal(count + 1, catalog.All.Count);
        Assert.Same(widget, catalog.Find("example.com", "v1", "widgets"));
        Assert.Null(catalog.Find("example.com", "v2", "widgets"));
        Assert.Same(gateway, catalog.Find("networking.istio.io", "v1", "gateways"));
        Assert.Equal(1, catalog.Revision);
        catalog.SetCustom([]);
        Assert.Null(catalog.Find("widgets.example.com"));
        Assert.Equal(["gw"], catalog.Get("gateways.networking.istio.io").ShortNames);
    }

    [Fact]
    public void Versions_are_preferred_as_clients_expect()
    {
        string[] given = ["foo10", "v3beta1", "v12alpha1", "v10beta3", "v1", "v11alpha2", "v2", "foo1", "v11beta2", "v10"];
        string[] wanted = ["v10", "v2", "v1", "v11beta2", "v10beta3", "v3beta1", "v12alpha1", "v11alpha2", "foo1", "foo10"];
        Assert.Equal(wanted, given.Order(VersionOrder.Preferred));
    }
}
