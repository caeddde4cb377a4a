// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Resources;

namespace Weft.ApiServer.Security;

/// <summary>Nobody grants what they do not hold, unless they may escalate or bind.</summary>
internal sealed class RightsGuard(RightsBook rights, ResourceCatalog catalog)
{
    public void Check(ApiRequest request, JsonObject tree, JsonObject? old)
    {
        var resource = request.Resource;
        if (!string.Equals(resource.Group, RightsBook.Group, StringComparison.Ordinal) || request.User.IsAdministrator)
        {
            return;
        }

        if (resource.Kind is "Role" or "ClusterRole")
        {
            CheckRole(request, tree, old);
        }
        else if (old is null || !JsonNode.DeepEquals(old["subjects"], tree["subjects"]) || !JsonNode.DeepEquals(old["roleRef"], tree["roleRef"]))
        {
            CheckBinding(request, tree);
        }
    }

    private void CheckRole(ApiRequest request, JsonObject tree, JsonObject? old)
    {
        if (old is not null && JsonNode.DeepEquals(old["rules"], tree["rules"])
            && JsonNode.DeepEquals(old["aggregationRule"], tree["aggregationRule"]))
        {
            return;
        }

        var question = Question(request, "escalate") with { Name = tree.At("metadata", "name").Text() ?? "" };
        if (rights.Allows(question))
        {
            return;
        }

        var wanted = tree["rules"].Items().Select(RoleRule.Parse).ToList();
        if (tree["aggregationRule"] is not null)
        {
            // What a role collects from others cannot be foreseen: only who holds everything may let it collect.
            wanted.Add(new RoleRule(["*"], ["*"], ["*"], [], []));
            wanted.Add(new RoleRule(["*"], [], [], [], ["*"]));
        }

        Require(request, tree, wanted);
    }

    private void CheckBinding(ApiRequest request, JsonObject tree)
    {
        var kind = tree.At("roleRef", "kind").Text() ?? "";
        var name = tree.At("roleRef", "name").Text() ?? "";
        var definition = catalog.Get(kind is "ClusterRole" ? RightsBook.ClusterRoles : RightsBook.Roles);
        var question = Question(request, "bind") with { Resource = definition.Plural, Name = name };
        if (rights.Allows(question))
        {
            return;
        }

        Require(request, tree, rights.RulesOf(request.Namespace, kind, name) ?? throw ApiException.NotFound(definition, name));
    }

    private void Require(ApiRequest request, JsonObject tree, IEnumerable<RoleRule> wanted)
    {
        var held = rights.RulesFor(request.User, request.Namespace).ToList();
        var missing = wanted.SelectMany(rule => rule.Split()).Where(single => !held.Exists(rule => rule.Covers(single)))
            .GroupBy(single => (Group: single.Groups.FirstOrDefault(), Resource: single.Resources.FirstOrDefault(), Name: single.Names.FirstOrDefault(), Path: single.Paths.FirstOrDefault()))
            .Select(same => same.First() with { Verbs = [.. same.Select(single => single.Verbs[0]).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)] })
            .Select(rule => rule.ToString()).Order(StringComparer.Ordinal).ToList();
        if (missing.Count == 0)
        {
            return;
        }

        var groups = string.Join(" ", request.User.Groups.Select(group => $"\"{group}\""));
        throw ApiException.Forbidden(
            request.Resource,
            tree.At("metadata", "name").Text() ?? "",
            $"user \"{request.User.Name}\" (groups=[{groups}]) is attempting to grant RBAC permissions not currently held:\n" +
            string.Join('\n', missing));
    }

    private static AccessQuestion Question(ApiRequest request, string verb) => new(request.User, verb)
    {
        Group = request.Resource.Group,
        Resource = request.Resource.Plural,
        Namespace = request.Namespace,
    };
}
