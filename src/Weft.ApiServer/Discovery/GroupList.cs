// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Resources;

namespace Weft.ApiServer.Discovery;

/// <summary>The groups, versions and resources, in the old shape (one document a version) and the aggregated one.</summary>
internal sealed class GroupList(ResourceCatalog catalog)
{
    private static readonly string[] _storedVerbs =
        ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

    private static readonly string[] _reviewVerbs = ["create"];
    private static readonly string[] _measuredVerbs = ["get", "list"];

    private Memory _memory = new(-1, []);

    public IEnumerable<string> Names => Current().Select(item => item.Group).Where(name => name.Length > 0);

    public static JsonObject CoreVersions() => new()
    {
        ["kind"] = "APIVersions",
        ["versions"] = new JsonArray("v1"),
        ["serverAddressByClientCIDRs"] = new JsonArray(),
    };

    public JsonObject Groups() => new()
    {
        ["kind"] = "APIGroupList",
        ["apiVersion"] = "v1",
        ["groups"] = new JsonArray([.. Current().Where(item => item.Group.Length > 0).Select(item => GroupBody(item.Group, item.Versions))]),
    };

    public JsonObject? Group(string name)
    {
        var (group, versions) = Current().FirstOrDefault(item => item.Group.Length > 0 && item.Group == name);
        if (versions is null)
        {
            return null;
        }

        var body = GroupBody(group, versions);
        body["kind"] = "APIGroup";
        body["apiVersion"] = "v1";
        return body;
    }

    public JsonObject? Resources(string group, string version)
    {
        var definitions = Definitions(group, version).ToList();
        if (definitions.Count == 0)
        {
            return null;
        }

        var list = new JsonArray();
        foreach (var definition in definitions)
        {
            var verbs = Verbs(definition);
            var entry = Entry(definition.Plural, definition.Singular, definition.Namespaced, definition.Kind, verbs);
            if (definition.ShortNames.Length > 0)
            {
                entry["shortNames"] = Texts(definition.ShortNames);
            }

            if (definition.Categories.Length > 0)
            {
                entry["categories"] = Texts(definition.Categories);
            }

            list.Add(entry);
            foreach (var sub in Subresources(definition))
            {
                var child = Entry($"{definition.Plural}/{sub.Name}", "", definition.Namespaced, sub.Kind, sub.Verbs);
                if (sub.Group is not null)
                {
                    child["group"] = sub.Group;
                    child["version"] = "v1";
                }

                list.Add(child);
            }
        }

        return new JsonObject
        {
            ["kind"] = "APIResourceList",
            ["apiVersion"] = "v1",
            ["groupVersion"] = group.Length == 0 ? version : group + "/" + version,
            ["resources"] = list,
        };
    }

    public JsonObject AggregatedCore() => Aggregated(Current().Where(item => item.Group.Length == 0));

    public JsonObject AggregatedGroups() => Aggregated(Current().Where(item => item.Group.Length > 0));

    private JsonObject Aggregated(IEnumerable<(string Group, string[] Versions)> groups)
    {
        var items = new JsonArray();
        foreach (var (group, versions) in groups)
        {
            var metadata = new JsonObject { ["creationTimestamp"] = null };
            if (group.Length > 0)
            {
                metadata["name"] = group;
            }

            items.Add(new JsonObject
            {
                ["metadata"] = metadata,
                ["versions"] = new JsonArray([.. versions.Select(version => new JsonObject
                {
                    ["version"] = version,
                    ["freshness"] = "Current",
                    ["resources"] = new JsonArray([.. Definitions(group, version).Select(item => AggregatedResource(item, version))]),
                })]),
            });
        }

        return new JsonObject
        {
            ["kind"] = "APIGroupDiscoveryList",
            ["apiVersion"] = "apidiscovery.k8s.io/v2",
            ["metadata"] = new JsonObject(),
            ["items"] = items,
        };
    }

    private static JsonObject AggregatedResource(ResourceDefinition definition, string version)
    {
        var entry = new JsonObject
        {
            ["resource"] = definition.Plural,
            ["responseKind"] = Kind(definition.Group, version, definition.Kind),
            ["scope"] = definition.Namespaced ? "Namespaced" : "Cluster",
            ["singularResource"] = definition.Singular,
            ["verbs"] = Texts(Verbs(definition)),
        };
        if (definition.ShortNames.Length > 0)
        {
            entry["shortNames"] = Texts(definition.ShortNames);
        }

        if (definition.Categories.Length > 0)
        {
            entry["categories"] = Texts(definition.Categories);
        }

        var subresources = Subresources(definition).ToList();
        if (subresources.Count > 0)
        {
            entry["subresources"] = new JsonArray([.. subresources.Select(sub => new JsonObject
            {
                ["subresource"] = sub.Name,
                ["responseKind"] = Kind(sub.Group ?? definition.Group, sub.Group is null ? version : "v1", sub.Kind),
                ["verbs"] = Texts(sub.Verbs),
            })]);
        }

        return entry;
    }

    private static JsonObject Kind(string group, string version, string kind) => new()
    {
        ["group"] = group,
        ["version"] = version,
        ["kind"] = kind,
    };

    private static string[] Verbs(ResourceDefinition definition) =>
        Reviews.All.Contains(definition) ? _reviewVerbs : Metrics.All.Contains(definition) ? _measuredVerbs : _storedVerbs;

    private static IEnumerable<(string Name, string Kind, string? Group, string[] Verbs)> Subresources(ResourceDefinition definition)
    {
        string[] change = ["get", "patch", "update"];
        if (definition.HasStatus)
        {
            yield return ("status", definition.Kind, null, change);
        }

        if (definition.HasScale)
        {
            yield return ("scale", "Scale", "autoscaling", change);
        }

        switch (definition.GroupResource)
        {
            case "pods":
                yield return ("attach", "PodAttachOptions", null, ["create", "get"]);
                yield return ("binding", "Binding", null, ["create"]);
                yield return ("ephemeralcontainers", "Pod", null, change);
                yield return ("eviction", "Eviction", "policy", ["create"]);
                yield return ("exec", "PodExecOptions", null, ["create", "get"]);
                yield return ("log", "Pod", null, ["get"]);
                yield return ("portforward", "PodPortForwardOptions", null, ["create", "get"]);
                break;
            case "certificatesigningrequests.certificates.k8s.io":
                yield return ("approval", "CertificateSigningRequest", null, change);
                break;
            case "namespaces":
                yield return ("finalize", "Namespace", null, ["update"]);
                break;
            case "serviceaccounts":
                yield return ("token", "TokenRequest", "authentication.k8s.io", ["create"]);
                break;
        }
    }

    private static JsonObject Entry(string name, string singular, bool namespaced, string kind, string[] verbs) => new()
    {
        ["name"] = name,
        ["singularName"] = singular,
        ["namespaced"] = namespaced,
        ["kind"] = kind,
        ["verbs"] = Texts(verbs),
    };

    private static JsonObject GroupBody(string group, string[] versions)
    {
        JsonObject Entry(string version) => new() { ["groupVersion"] = group + "/" + version, ["version"] = version };
        return new JsonObject
        {
            ["name"] = group,
            ["versions"] = new JsonArray([.. versions.Select(Entry)]),
            ["preferredVersion"] = Entry(versions[0]),
        };
    }

    private IEnumerable<ResourceDefinition> Definitions(string group, string version) => catalog.All.Concat(Reviews.All).Concat(Metrics.All)
        .Where(item => item.Group == group && item.Versions.Contains(version, StringComparer.Ordinal));

    private static JsonArray Texts(IEnumerable<string> items) => new([.. items.Select(item => (JsonNode?)JsonValue.Create(item))]);

    /// <summary>The groups as of now; collected again only when the kinds have changed.</summary>
    private List<(string Group, string[] Versions)> Current()
    {
        var memory = Volatile.Read(ref _memory);
        var revision = catalog.Revision;
        if (memory.Revision != revision)
        {
            memory = new Memory(revision, Collect(catalog));
            Volatile.Write(ref _memory, memory);
        }

        return memory.Groups;
    }

    /// <summary>Every group that is served, with its versions in order of preference.</summary>
    public static List<(string Group, string[] Versions)> Collect(ResourceCatalog catalog) =>
    [
        .. catalog.All.Concat(Reviews.All).Concat(Metrics.All).GroupBy(item => item.Group, StringComparer.Ordinal)
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => (group.Key, group.SelectMany(item => item.Versions).Distinct(StringComparer.Ordinal)
                .Order(VersionOrder.Preferred).ToArray())),
    ];

    private sealed record Memory(long Revision, List<(string Group, string[] Versions)> Groups);
}
