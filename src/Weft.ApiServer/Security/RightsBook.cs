// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Storage;

namespace Weft.ApiServer.Security;

/// <summary>The roles and bindings that are stored, ready to be asked. What nobody has granted is refused.</summary>
internal sealed class RightsBook(ObjectStore store)
{
    public const string Group = "rbac.authorization.k8s.io";
    public const string ClusterRoles = "clusterroles." + Group;
    public const string Roles = "roles." + Group;
    public const string ClusterRoleBindings = "clusterrolebindings." + Group;
    public const string RoleBindings = "rolebindings." + Group;

    private readonly NodeRights _nodes = new(store);
    private readonly Kept<RoleRule[]> _clusterRoles = new(store, ClusterRoles, RulesOf);
    private readonly Kept<RoleRule[]> _roles = new(store, Roles, RulesOf);
    private readonly Kept<Binding> _clusterBindings = new(store, ClusterRoleBindings, Binding.Parse);
    private readonly Kept<Binding> _bindings = new(store, RoleBindings, Binding.Parse);

    public NodeRights Nodes => _nodes;

    public bool Allows(AccessQuestion question) => Allows(question, out _);

    /// <summary>Whether it is allowed, and by which binding.</summary>
    public bool Allows(AccessQuestion question, out string reason)
    {
        reason = "";
        if (question.User.IsAdministrator)
        {
            return true;
        }

        if (_nodes.Allows(question))
        {
            return true;
        }

        foreach (var (rule, binding) in Held(question.User, question.Namespace))
        {
            if (rule.Allows(question))
            {
                reason = binding.Reason(question.User);
                return true;
            }
        }

        return false;
    }

    /// <summary>Every rule that the user holds in the namespace; only the cluster-wide ones when it is empty.</summary>
    public IEnumerable<RoleRule> RulesFor(UserIdentity user, string ns) => Held(user, ns).Select(item => item.Rule);

    /// <summary>The rules of the role that a binding names; null when there is no such role.</summary>
    public RoleRule[]? RulesOf(string ns, string kind, string name) => kind is "ClusterRole"
        ? _clusterRoles.Now().GetValueOrDefault(new ObjectKey("", name))
        : _roles.Now().GetValueOrDefault(new ObjectKey(ns, name));

    private static RoleRule[] RulesOf(JsonObject role) => [.. role["rules"].Items().Select(RoleRule.Parse)];

    private IEnumerable<(RoleRule Rule, Binding Binding)> Held(UserIdentity user, string ns)
    {
        var all = ns.Length == 0
            ? _clusterBindings.Now().Values
            : _clusterBindings.Now().Values.Concat(_bindings.Now().Where(pair => pair.Key.Namespace == ns).Select(pair => pair.Value));
        foreach (var binding in all)
        {
            if (binding.Names(user) && RulesOf(binding.Namespace, binding.RoleKind, binding.RoleName) is { } rules)
            {
                foreach (var rule in rules)
                {
                    yield return (rule, binding);
                }
            }
        }
    }

    /// <summary>The objects of a kind, parsed again only when one of them has changed.</summary>
    private sealed class Kept<T>(ObjectStore store, string resource, Func<JsonObject, T> parse)
    {
        private (object Source, Dictionary<ObjectKey, T> Parsed)? _last;

        public Dictionary<ObjectKey, T> Now()
        {
            var objects = store.Snapshot(resource).Objects;
            if (_last is { } last && ReferenceEquals(last.Source, objects))
            {
                return last.Parsed;
            }

            var parsed = objects.ToDictionary(pair => pair.Key, pair => parse(pair.Value.Parse()));
            _last = (objects, parsed);
            return parsed;
        }
    }

    private sealed record Binding(string Namespace, string Name, string RoleKind, string RoleName, List<(string Kind, string Name)> Subjects)
    {
        private const string AccountPrefix = "system:serviceaccount:";

        public static Binding Parse(JsonObject tree)
        {
            var ns = tree.At("metadata", "namespace").Text() ?? "";
            return new Binding(
                ns,
                tree.At("metadata", "name").Text()!,
                tree.At("roleRef", "kind").Text() ?? "",
                tree.At("roleRef", "name").Text() ?? "",
                [.. tree["subjects"].Items().Select(item => Subject(item, ns))]);
        }

        public bool Names(UserIdentity user) => Match(user) is not null;

        public string Reason(UserIdentity user)
        {
            var (kind, name) = Match(user)!.Value;
            if (kind is "User" && name.StartsWith(AccountPrefix, StringComparison.Ordinal))
            {
                kind = "ServiceAccount";
                name = string.Join('/', name[AccountPrefix.Length..].Split(':').Reverse());
            }

            var place = Namespace.Length == 0 ? $"ClusterRoleBinding \"{Name}\"" : $"RoleBinding \"{Name}/{Namespace}\"";
            return $"RBAC: allowed by {place} of {RoleKind} \"{RoleName}\" to {kind} \"{name}\"";
        }

        private (string Kind, string Name)? Match(UserIdentity user)
        {
            foreach (var subject in Subjects)
            {
                if (subject.Kind is "User" ? subject.Name == user.Name : user.Groups.Contains(subject.Name, StringComparer.Ordinal))
                {
                    return subject;
                }
            }

            return null;
        }

        /// <summary>A service account is the user of its long name.</summary>
        private static (string Kind, string Name) Subject(JsonObject subject, string ns)
        {
            var name = subject.Text("name") ?? "";
            return subject.Text("kind") switch
            {
                "ServiceAccount" => ("User", $"{AccountPrefix}{(subject.Text("namespace") is { Length: > 0 } own ? own : ns)}:{name}"),
                "Group" => ("Group", name),
                "User" => ("User", name),
                _ => ("Group", "\0"),
            };
        }
    }
}
