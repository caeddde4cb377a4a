// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Storage;

namespace Weft.ApiServer.Security;

/// <summary>
/// What the user <c>system:node:NAME</c> of a machine that joined may do: its own Node and lease, the pods that are bound to it and what these
/// name, and to read what every node needs to know. No role grants a node anything.
/// </summary>
internal sealed class NodeRights(ObjectStore store)
{
    public const string Group = "system:nodes";

    private const string UserPrefix = "system:node:";
    private const string LeaseNamespace = "kube-node-lease";

    private static readonly string[] _reading = ["get", "list", "watch"];
    private static readonly string[] _changing = ["get", "patch", "update"];

    /// <summary>Read by every node.</summary>
    private static readonly string[] _common = ["pods", "services", "nodes", "endpointslices", "persistentvolumes", "persistentvolumeclaims"];

    /// <summary>The node that the user is, if it is one.</summary>
    public static string? NodeOf(UserIdentity user) =>
        user.Groups.Contains(Group, StringComparer.Ordinal) && user.Name.StartsWith(UserPrefix, StringComparison.Ordinal) ? user.Name[UserPrefix.Length..] : null;

    public bool Allows(AccessQuestion question) => NodeOf(question.User) is { } node && question.Path is null && (question.Group, question.Target) switch
    {
        ("" or "discovery.k8s.io", _) when _common.Contains(question.Target, StringComparer.Ordinal) && _reading.Contains(question.Verb, StringComparer.Ordinal) => true,
        ("", "pods") => question.Verb is "delete" && IsBound(question, node),
        ("", "pods/status") => _changing.Contains(question.Verb, StringComparer.Ordinal) && IsBound(question, node),
        ("", "configmaps" or "secrets") => question.Verb is "get" && question.Name.Length > 0 && IsNamed(question, node),
        ("", "serviceaccounts/token") => question.Verb is "create" && BoundTo(node, question.Namespace).Any(pod => Account(pod) == question.Name),
        ("", "nodes") => question.Verb is "create",
        ("", "nodes/status") => _changing.Contains(question.Verb, StringComparer.Ordinal) && question.Name == node,
        ("coordination.k8s.io", "leases") => question.Namespace == LeaseNamespace
            && (question.Verb is "create" || (_changing.Contains(question.Verb, StringComparer.Ordinal) && question.Name == node)),
        ("", "events") => question.Verb is "create" or "patch",
        ("certificates.k8s.io", "certificatesigningrequests") => question.Verb is "create" or "get",
        _ => false,
    };

    /// <summary>Refuses what a node writes beyond its own name; what it may not do at all is refused before.</summary>
    public static void CheckCreated(ApiRequest request, JsonObject tree)
    {
        if (NodeOf(request.User) is not { } node || request.Resource.GroupResource is not ("nodes" or "leases.coordination.k8s.io"))
        {
            return;
        }

        var name = tree.At("metadata", "name").Text() ?? "";
        if (name != node)
        {
            throw ApiException.Forbidden(request.Resource, name, $"node \"{node}\" is not allowed to create \"{name}\"");
        }

        var reserved = (tree.At("metadata", "labels") as JsonObject ?? [])
            .Select(label => label.Key).FirstOrDefault(key => key.Contains("node-role.kubernetes.io/", StringComparison.Ordinal) || key.Contains("node-restriction.kubernetes.io/", StringComparison.Ordinal));
        if (reserved is not null || tree.At("spec", "podCIDR") is not null || tree.At("spec", "podCIDRs") is not null)
        {
            throw ApiException.Forbidden(request.Resource, name, $"node \"{node}\" is not allowed to set {(reserved is null ? "spec.podCIDR" : $"label \"{reserved}\"")}");
        }
    }

    /// <summary>A node gets tokens that are bound to pods of its own only.</summary>
    public void CheckToken(ApiRequest request, TokenBinding? binding)
    {
        if (NodeOf(request.User) is { } node
            && (binding is not { Kind: "pod" } || store.Find("pods", request.Namespace, binding.Name)?.Parse().At("spec", "nodeName").Text() != node))
        {
            throw ApiException.Forbidden(request.Resource, request.Name!, $"node \"{node}\" can only request tokens that are bound to one of its pods");
        }
    }

    private bool IsBound(AccessQuestion question, string node) =>
        store.Find("pods", question.Namespace, question.Name)?.Parse().At("spec", "nodeName").Text() == node;

    private bool IsNamed(AccessQuestion question, string node)
    {
        string[] holders = question.Resource is "secrets" ? ["secret", "secretRef", "secretKeyRef", "imagePullSecrets"] : ["configMap", "configMapRef", "configMapKeyRef"];
        return BoundTo(node, question.Namespace).Any(pod => Names(pod["spec"], holders, question.Name));
    }

    private IEnumerable<JsonObject> BoundTo(string node, string ns) => store.Snapshot("pods").Objects
        .Where(pair => pair.Key.Namespace == ns).Select(pair => pair.Value.Parse()).Where(pod => pod.At("spec", "nodeName").Text() == node);

    private static string Account(JsonObject pod) => pod.At("spec", "serviceAccountName").Text() is { Length: > 0 } name ? name : "default";

    /// <summary>Whether something below one of the holders has this name.</summary>
    private static bool Names(JsonNode? node, string[] holders, string name) => node switch
    {
        JsonArray list => list.Any(item => Names(item, holders, name)),
        JsonObject tree => tree.Any(field => (holders.Contains(field.Key, StringComparer.Ordinal) && IsName(field.Value, name)) || Names(field.Value, holders, name)),
        _ => false,
    };

    private static bool IsName(JsonNode? reference, string name) => reference switch
    {
        JsonArray list => list.Any(item => IsName(item, name)),
        JsonObject tree => tree.Text("name") == name || tree.Text("secretName") == name,
        _ => false,
    };
}
