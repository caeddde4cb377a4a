// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json;
using Weft.Model;
using Weft.Model.Plan;
using Weft.Wire.Plans;

namespace Weft.Wire.Dump;

/// <summary>RBAC filters as JSON.</summary>
internal static class AuthorizationDump
{
    private static readonly Words _from = new("and_ids", "or_ids", "not_id", "ids");
    private static readonly Words _to = new("and_rules", "or_rules", "not_rule", "rules");

    public static void Write(Utf8JsonWriter json, EquatableArray<AuthorizationPlan> plans, string filter, string type)
    {
        foreach (var plan in plans)
        {
            json.WriteStartObject();
            json.WriteString("name", filter);
            json.WriteStartObject("typed_config");
            json.WriteString("@type", type);
            Write(json, plan);
            json.WriteEndObject();
            json.WriteEndObject();
        }
    }

    private static void Write(Utf8JsonWriter json, AuthorizationPlan plan)
    {
        json.WriteStartObject(plan.IsShadow ? "shadow_rules" : "rules");
        json.WriteString("action", plan.Action switch
        {
            AuthorizationAction.Allow => "ALLOW",
            AuthorizationAction.Deny => "DENY",
            _ => "LOG",
        });
        json.WriteStartObject("policies");
        foreach (var rule in plan.Rules)
        {
            json.WriteStartObject(rule.Name);
            WriteTerms(json, "permissions", rule.To, _to);
            WriteTerms(json, "principals", rule.From, _from);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();
        if (plan.IsShadow)
        {
            json.WriteString("shadow_rules_stat_prefix", AuthorizationEncoder.ShadowPrefix(plan));
        }
    }

    private static void WriteTerms(Utf8JsonWriter json, string name, EquatableArray<AuthorizationTermPlan> terms, Words words)
    {
        json.WriteStartArray(name);
        foreach (var term in terms)
        {
            json.WriteStartObject();
            if (term.Clauses.Count == 0)
            {
                json.WriteBoolean("any", true);
            }
            else
            {
                json.WriteStartObject(words.All);
                json.WriteStartArray(words.Items);
                foreach (var clause in term.Clauses)
                {
                    WriteClause(json, clause, words);
                }

                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteClause(Utf8JsonWriter json, AuthorizationClausePlan clause, Words words)
    {
        json.WriteStartObject();
        if (clause.Not)
        {
            json.WriteStartObject(words.Not);
        }

        json.WriteStartObject(words.AnyOf);
        json.WriteStartArray(words.Items);
        foreach (var match in clause.AnyOf)
        {
            json.WriteStartObject();
            WriteMatch(json, match);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        if (clause.Not)
        {
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteMatch(Utf8JsonWriter json, AttributeMatchPlan match)
    {
        switch (match.Attribute)
        {
            case RequestTrait.Principal:
                json.WriteStartObject("authenticated");
                WriteText(json, "principal_name", match, AuthorizationEncoder.Scheme);
                json.WriteEndObject();
                break;
            case RequestTrait.SourceAddress:
                WriteBlock(json, "direct_remote_ip", match.Value);
                break;
            case RequestTrait.RemoteAddress:
                WriteBlock(json, "remote_ip", match.Value);
                break;
            case RequestTrait.DestinationAddress:
                WriteBlock(json, "destination_ip", match.Value);
                break;
            case RequestTrait.DestinationPort:
                json.WriteNumber("destination_port", int.Parse(match.Value, CultureInfo.InvariantCulture));
                break;
            case RequestTrait.ServerName:
                WriteText(json, "requested_server_name", match);
                break;
            case RequestTrait.Path when match.Kind == AttributeMatchKind.Template:
                WriteTemplate(json, match.Value);
                break;
            case RequestTrait.Path:
                json.WriteStartObject("url_path");
                WriteText(json, "path", match);
                json.WriteEndObject();
                break;
            case RequestTrait.Host or RequestTrait.Method or RequestTrait.Header:
                WriteHeader(json, match);
                break;
            default:
                WriteMetadata(json, match);
                break;
        }
    }

    private static void WriteTemplate(Utf8JsonWriter json, string template)
    {
        json.WriteStartObject("uri_template");
        json.WriteString("name", "uri-template");
        json.WriteStartObject("typed_config");
        json.WriteString("@type", TypeUrls.UriTemplate);
        json.WriteString("path_template", template);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteHeader(Utf8JsonWriter json, AttributeMatchPlan match)
    {
        json.WriteStartObject("header");
        json.WriteString("name", match.Attribute switch
        {
            RequestTrait.Host => AuthorizationNames.Authority,
            RequestTrait.Method => AuthorizationNames.Method,
            _ => match.Key,
        });
        if (match.Kind == AttributeMatchKind.Present)
        {
            json.WriteBoolean("present_match", true);
        }
        else
        {
            WriteText(json, "string_match", match);
        }

        json.WriteEndObject();
    }

    private static void WriteMetadata(Utf8JsonWriter json, AttributeMatchPlan match)
    {
        json.WriteStartObject("metadata");
        json.WriteString("filter", AuthorizationEncoder.MetadataFilter);
        json.WriteStartArray("path");
        foreach (var key in match.Key.Split(RequestTraits.KeySeparator, StringSplitOptions.RemoveEmptyEntries).Prepend(AuthorizationNames.Of(match.Attribute)))
        {
            json.WriteStartObject();
            json.WriteString("key", key);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartObject("value");
        if (match.Kind == AttributeMatchKind.Present)
        {
            json.WriteBoolean("present_match", true);
        }
        else
        {
            WriteText(json, "string_match", match);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteText(Utf8JsonWriter json, string name, AttributeMatchPlan match, string before = "")
    {
        json.WriteStartObject(name);
        switch (match.Kind)
        {
            case AttributeMatchKind.Exact:
                json.WriteString("exact", before + match.Value);
                break;
            case AttributeMatchKind.Prefix:
                json.WriteString("prefix", before + match.Value);
                break;
            case AttributeMatchKind.Suffix:
                json.WriteString("suffix", match.Value);
                break;
            default:
                json.WriteStartObject("safe_regex");
                json.WriteString("regex", match.Kind == AttributeMatchKind.Present ? AuthorizationEncoder.AnyText : match.Value);
                json.WriteEndObject();
                break;
        }

        if (match.Attribute == RequestTrait.Host)
        {
            json.WriteBoolean("ignore_case", true);
        }

        json.WriteEndObject();
    }

    private static void WriteBlock(Utf8JsonWriter json, string name, string block)
    {
        var slash = block.IndexOf('/', StringComparison.Ordinal);
        json.WriteStartObject(name);
        json.WriteString("address_prefix", slash < 0 ? block : block[..slash]);
        if (slash >= 0)
        {
            json.WriteNumber("prefix_len", int.Parse(block.AsSpan(slash + 1), CultureInfo.InvariantCulture));
        }

        json.WriteEndObject();
    }

    private sealed record Words(string All, string AnyOf, string Not, string Items);
}
