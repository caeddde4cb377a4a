// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Security;

/// <summary>One rule of a role: verbs on resources, or on paths.</summary>
public sealed record RoleRule(string[] Verbs, string[] Groups, string[] Resources, string[] Names, string[] Paths)
{
    private const string Any = "*";

    public static RoleRule Parse(JsonObject rule) => new(
        Texts(rule["verbs"]), Texts(rule["apiGroups"]), Texts(rule["resources"]), Texts(rule["resourceNames"]),
        Texts(rule["nonResourceURLs"]));

    public bool Allows(AccessQuestion question)
    {
        if (!Has(Verbs, question.Verb))
        {
            return false;
        }

        if (question.Path is { } path)
        {
            return Array.Exists(Paths, item => CoversPath(item, path));
        }

        return Has(Groups, question.Group)
            && Array.Exists(Resources, item => CoversResource(item, question))
            && (Names.Length == 0 || Names.Contains(question.Name, StringComparer.Ordinal));
    }

    /// <summary>The rule taken apart into rules of one verb on one thing.</summary>
    public IEnumerable<RoleRule> Split()
    {
        foreach (var verb in Verbs)
        {
            foreach (var path in Paths)
            {
                yield return new RoleRule([verb], [], [], [], [path]);
            }

            foreach (var group in Groups)
            {
                foreach (var resource in Resources)
                {
                    foreach (var name in Names.DefaultIfEmpty(""))
                    {
                        yield return new RoleRule([verb], [group], [resource], name.Length == 0 ? [] : [name], []);
                    }
                }
            }
        }
    }

    /// <summary>True when whoever holds this rule also holds <paramref name="single"/>, a rule of one verb on one thing.</summary>
    public bool Covers(RoleRule single)
    {
        if (!Has(Verbs, single.Verbs[0]))
        {
            return false;
        }

        if (single.Paths is [var path])
        {
            return Array.Exists(Paths, item => CoversPath(item, path));
        }

        var (resource, sub) = single.Resources[0].Split('/', 2) is [var first, var rest] ? (first, rest) : (single.Resources[0], "");
        var question = new AccessQuestion(UserIdentity.Anonymous, single.Verbs[0]) { Resource = resource, Subresource = sub };
        return Has(Groups, single.Groups[0])
            && Array.Exists(Resources, item => CoversResource(item, question))
            && (Names.Length == 0 || (single.Names is [var name] && Names.Contains(name, StringComparer.Ordinal)));
    }

    public JsonObject ToReview()
    {
        var result = new JsonObject { ["verbs"] = Listed(Verbs) };
        if (Paths.Length > 0)
        {
            result["nonResourceURLs"] = Listed(Paths);
            return result;
        }

        result["apiGroups"] = Listed(Groups);
        result["resources"] = Listed(Resources);
        if (Names.Length > 0)
        {
            result["resourceNames"] = Listed(Names);
        }

        return result;
    }

    /// <summary>As refusals show rules.</summary>
    public override string ToString()
    {
        var parts = new List<string>();
        Add("NonResourceURLs", Paths);
        Add("APIGroups", Groups);
        Add("Resources", Resources);
        Add("ResourceNames", Names);
        Add("Verbs", Verbs);
        return "{" + string.Join(", ", parts) + "}";

        void Add(string name, string[] values)
        {
            if (values.Length > 0)
            {
                parts.Add($"{name}:[{string.Join(", ", values.Select(value => $"\"{value}\""))}]");
            }
        }
    }

    private static bool Has(string[] items, string wanted) =>
        items.Contains(Any, StringComparer.Ordinal) || items.Contains(wanted, StringComparer.Ordinal);

    private static bool CoversResource(string item, AccessQuestion question) =>
        item is Any
        || string.Equals(item, question.Target, StringComparison.Ordinal)
        || (question.Subresource.Length > 0 && item.StartsWith("*/", StringComparison.Ordinal)
            && string.Equals(item[2..], question.Subresource, StringComparison.Ordinal));

    private static bool CoversPath(string item, string path) =>
        item is Any
        || string.Equals(item, path, StringComparison.Ordinal)
        || (item.EndsWith('*') && path.StartsWith(item.AsSpan(0, item.Length - 1), StringComparison.Ordinal));

    private static string[] Texts(JsonNode? node) => [.. (node as JsonArray ?? []).Select(item => item.Text() ?? "")];

    private static JsonArray Listed(string[] items) => new([.. items.Select(item => (JsonNode?)JsonValue.Create(item))]);
}
