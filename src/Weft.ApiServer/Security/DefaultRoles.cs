// SPDX-License-Identifier: Apache-2.0

using System.Reflection;
using System.Text.Json.Nodes;
using Weft.ApiServer.Defaults;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Security;

/// <summary>The cluster roles and bindings that every cluster has from its first moment.</summary>
internal static class DefaultRoles
{
    public const string CollectPrefix = "rbac.authorization.k8s.io/aggregate-to-";

    /// <summary>Stores those that are missing; what somebody has changed stays.</summary>
    public static void Ensure(NamespaceKeeper keeper)
    {
        var table = Read();
        foreach (var role in table["roles"].Items())
        {
            keeper.Ensure(RightsBook.ClusterRoles, Role(keeper, role));
        }

        foreach (var binding in table["bindings"].Items())
        {
            keeper.Ensure(RightsBook.ClusterRoleBindings, Binding(keeper, binding));
        }
    }

    private static JsonObject Role(NamespaceKeeper keeper, JsonObject role)
    {
        var tree = new JsonObject
        {
            ["apiVersion"] = RightsBook.Group + "/v1",
            ["kind"] = "ClusterRole",
            ["metadata"] = Metadata(keeper, role),
            ["rules"] = role["rules"]?.DeepClone(),
        };
        if (role.Text("collect") is { } label)
        {
            tree["aggregationRule"] = new JsonObject
            {
                ["clusterRoleSelectors"] = new JsonArray(new JsonObject
                {
                    ["matchLabels"] = new JsonObject { [CollectPrefix + label] = "true" },
                }),
            };
        }

        return tree;
    }

    private static JsonObject Binding(NamespaceKeeper keeper, JsonObject binding) => new()
    {
        ["apiVersion"] = RightsBook.Group + "/v1",
        ["kind"] = "ClusterRoleBinding",
        ["metadata"] = Metadata(keeper, binding),
        ["roleRef"] = new JsonObject
        {
            ["apiGroup"] = RightsBook.Group,
            ["kind"] = "ClusterRole",
            ["name"] = binding.Text("role"),
        },
        ["subjects"] = new JsonArray([.. binding["groups"]!.AsArray().Select(group => new JsonObject
        {
            ["apiGroup"] = RightsBook.Group,
            ["kind"] = "Group",
            ["name"] = group.Text(),
        })]),
    };

    private static JsonObject Metadata(NamespaceKeeper keeper, JsonObject entry)
    {
        var metadata = keeper.Metadata("", entry.Text("name")!);
        metadata["annotations"] = new JsonObject { ["rbac.authorization.kubernetes.io/autoupdate"] = "true" };
        var labels = new JsonObject { ["kubernetes.io/bootstrapping"] = "rbac-defaults" };
        foreach (var (name, value) in entry["labels"] as JsonObject ?? [])
        {
            labels[name] = value.Text();
        }

        metadata["labels"] = labels;
        return metadata;
    }

    private static JsonObject Read()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("default-roles.json")
            ?? throw new InvalidOperationException("The assembly lacks its table of default roles.");
        return JsonNode.Parse(stream)!.AsObject();
    }
}
