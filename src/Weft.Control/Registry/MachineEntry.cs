// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Control.Registry;

/// <summary>The WorkloadEntry of a machine that registers itself, as its WorkloadGroup describes it. Names and annotations are Istio's.</summary>
internal static class MachineEntry
{
    public const string GroupAnnotation = "istio.io/autoRegistrationGroup";
    private const string ControllerAnnotation = "istio.io/workloadController";
    private const string ConnectedAnnotation = "istio.io/connectedAt";
    private const string Controller = "weft-control";

    /// <summary><c>group-address</c>, with the network where the group has one.</summary>
    public static string NameOf(JsonObject group, string address)
    {
        var network = group.Text("spec", "template", "network");
        var plain = address.Replace(':', '-');
        return network is { Length: > 0 } ? $"{group.Name()}-{plain}-{network}" : $"{group.Name()}-{plain}";
    }

    /// <summary>The account whose proxies may register.</summary>
    public static string AccountOf(JsonObject group) => group.Text("spec", "template", "serviceAccount") is { Length: > 0 } account ? account : "default";

    public static bool IsOf(JsonObject entry, string group) => entry.Annotation(GroupAnnotation) == group;

    /// <summary>True for the entry of a machine that has registered itself, and so goes with it.</summary>
    public static bool IsOurs(JsonObject entry) => entry.Annotation(ControllerAnnotation) == Controller && entry.Annotation(GroupAnnotation) is not null;

    /// <param name="group">What such machines are like.</param>
    /// <param name="address">Of the machine.</param>
    /// <param name="labels">What its proxy says of it; comes before the group's own words.</param>
    /// <param name="now">When it came.</param>
    public static JsonObject Make(JsonObject group, string address, IEnumerable<KeyValuePair<string, string>> labels, DateTimeOffset now)
    {
        var spec = group.Find("spec", "template")?.DeepClone() as JsonObject ?? [];
        var all = spec["labels"] as JsonObject ?? [];
        foreach (var (key, value) in group.TextMap("spec", "metadata", "labels").Concat(labels))
        {
            all[key] = value;
        }

        spec["labels"] = all.DeepClone();
        spec["address"] = address;
        spec["serviceAccount"] = AccountOf(group);
        var annotations = new JsonObject();
        foreach (var (key, value) in group.TextMap("spec", "metadata", "annotations"))
        {
            annotations[key] = value;
        }

        annotations[GroupAnnotation] = group.Name();
        annotations[ControllerAnnotation] = Controller;
        annotations[ConnectedAnnotation] = now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        return new JsonObject
        {
            ["apiVersion"] = Kinds.WorkloadEntry.ApiVersion,
            ["kind"] = Kinds.WorkloadEntry.Kind,
            ["metadata"] = new JsonObject
            {
                ["name"] = NameOf(group, address),
                ["namespace"] = group.Namespace(),
                ["labels"] = all.DeepClone(),
                ["annotations"] = annotations,
                ["ownerReferences"] = new JsonArray(new JsonObject
                {
                    ["apiVersion"] = Kinds.WorkloadGroup.ApiVersion,
                    ["kind"] = Kinds.WorkloadGroup.Kind,
                    ["name"] = group.Name(),
                    ["uid"] = group.Uid(),
                    ["controller"] = true,
                }),
            },
            ["spec"] = spec,
        };
    }
}
