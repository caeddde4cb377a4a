// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Local.Agent;
using Xunit;

namespace Weft.Local.Tests.Agent;

public sealed class ProxySettingsTests
{
    [Fact]
    public void A_pod_without_settings_has_the_defaults()
    {
        Assert.Equal(new ProxySettings(1, null, null, 0, false), ProxySettings.Of(Pod()));
        Assert.Equal(new ProxySettings(1, null, null, 0, false), ProxySettings.Of(Pod(("PROXY_CONFIG", "{"))));
    }

    [Fact]
    public void Settings_are_read_from_the_environment_of_the_proxy() => Assert.Equal(
        new ProxySettings(3, 90, 1, 12, true),
        ProxySettings.Of(Pod(
            ("PROXY_CONFIG", """{"concurrency":3,"terminationDrainDuration":"1m30s","drainDuration":"250ms"}"""),
            ("MINIMUM_DRAIN_DURATION", "12s"),
            ("ISTIO_META_DNS_CAPTURE", "true"))));

    [Fact]
    public void Zero_loops_are_one_for_each_processor_and_what_is_no_duration_says_nothing()
    {
        var settings = ProxySettings.Of(Pod(("PROXY_CONFIG", """{"concurrency":0,"drainDuration":"soon"}""")));
        Assert.Equal((Environment.ProcessorCount, null), (settings.Loops, settings.ListenerDrainSeconds));
    }

    private static JsonObject Pod(params (string Name, string Value)[] variables) => new()
    {
        ["spec"] = new JsonObject
        {
            ["containers"] = new JsonArray(
                new JsonObject { ["name"] = "app", ["env"] = new JsonArray(new JsonObject { ["name"] = "PROXY_CONFIG", ["value"] = """{"concurrency":7}""" }) },
                new JsonObject
                {
                    ["name"] = "weft-proxy",
                    ["env"] = new JsonArray([.. variables.Select(v => new JsonObject { ["name"] = v.Name, ["value"] = v.Value })]),
                }),
        },
    };
}
