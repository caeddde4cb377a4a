// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Resources;

namespace Weft.ApiServer.Defaults;

/// <summary>Which families of addresses a service has: what was asked for, completed and refused as Kubernetes does it.</summary>
/// <param name="services">How errors call the resource.</param>
/// <param name="networks">One for each family that the cluster has, the usual one first.</param>
internal sealed class ServiceFamilies(ResourceDefinition services, IReadOnlyList<IPNetwork> networks)
{
    public const string Single = "SingleStack";
    public const string Prefer = "PreferDualStack";
    public const string Require = "RequireDualStack";

    private const string Four = "IPv4";
    private const string Six = "IPv6";
    private const string None = "None";
    private const string PolicyField = "spec.ipFamilyPolicy";

    private static readonly string[] _policies = [Prefer, Require, Single];
    private static readonly string[] _families = [Four, Six];

    private readonly string[] _configured = [.. networks.Select(network => FamilyOf(network.BaseAddress))];

    public static string FamilyOf(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6 ? Six : Four;

    public static List<string> Texts(JsonNode? list) => [.. (list as JsonArray ?? []).Select(item => item.Text() ?? "")];

    /// <summary>Fills in policy, families and what is kept of the addresses; throws what is wrong with them.</summary>
    public void Complete(JsonObject spec, JsonObject? old, string name)
    {
        KeepAddresses(spec, old);
        if (old is not null)
        {
            spec["ipFamilyPolicy"] ??= old["ipFamilyPolicy"]?.DeepClone();
            if (Texts(spec["ipFamilies"]).Count == 0)
            {
                spec["ipFamilies"] = old["ipFamilies"]?.DeepClone();
            }

            Release(spec, old);
        }

        spec["ipFamilyPolicy"] ??= Single;
        var errors = new List<FieldError>();
        ServiceFamilyRules.CheckForm(spec, _policies, _families, errors);
        ServiceFamilyRules.CheckChange(spec, old, errors);
        Refuse(errors, name);
        var families = Inferred(spec, errors);
        var policy = spec.Text("ipFamilyPolicy")!;
        if (policy == Single)
        {
            ServiceFamilyRules.CheckSingle(spec, families, errors);
        }

        Refuse(errors, name);
        spec["ipFamilies"] = new JsonArray([.. Completed(spec, old, families, policy, errors).Select(family => (JsonNode)family)]);
        Refuse(errors, name);
    }

    /// <summary>Who says nothing of addresses keeps them; of the two fields the one that was changed counts.</summary>
    private static void KeepAddresses(JsonObject spec, JsonObject? old)
    {
        var (ip, ips) = (spec.Text("clusterIP") ?? "", Texts(spec["clusterIPs"]));
        var (oldIp, oldIps) = (old?.Text("clusterIP") ?? "", Texts(old?["clusterIPs"]));
        if (oldIp.Length > 0)
        {
            if (ip.Length == 0 && (ips.Count == 0 || ips.SequenceEqual(oldIps)))
            {
                (ip, ips) = (oldIp, oldIps);
            }
            else if (ip != oldIp && ips.SequenceEqual(oldIps))
            {
                ips = [ip];
            }
            else if (ips.Count > 0 && (ip == oldIp || ip.Length == 0))
            {
                ip = ips[0];
            }
        }

        ips = ips.Count == 0 && ip.Length > 0 ? [ip] : ips;
        spec["clusterIP"] = ip;
        spec["clusterIPs"] = new JsonArray([.. ips.Select(each => (JsonNode)each)]);
    }

    /// <summary>Who turns to one family and leaves the rest as it was gives the second up.</summary>
    private static void Release(JsonObject spec, JsonObject old)
    {
        if (spec.Text("ipFamilyPolicy") is not Single || old.Text("ipFamilyPolicy") is not (Prefer or Require))
        {
            return;
        }

        foreach (var field in (string[])["clusterIPs", "ipFamilies"])
        {
            var after = Texts(spec[field]);
            if (after.Count == 2 && after.SequenceEqual(Texts(old[field])))
            {
                spec[field] = new JsonArray(after[0]);
            }
        }
    }

    /// <summary>The families that were written, and those of the addresses that were.</summary>
    private List<string> Inferred(JsonObject spec, List<FieldError> errors)
    {
        var families = Texts(spec["ipFamilies"]);
        var addresses = Texts(spec["clusterIPs"]);
        for (var i = families.Count; i < addresses.Count && addresses[0] is not None; i++)
        {
            var family = FamilyOf(IPAddress.Parse(addresses[i]));
            if (!_configured.Contains(family))
            {
                errors.Add(FieldError.Invalid($"spec.clusterIPs[{i}]", ServiceFamilyRules.Strings(addresses), $"{family} is not configured on this cluster"));
            }

            families.Add(family);
        }

        return families;
    }

    private List<string> Completed(JsonObject spec, JsonObject? old, List<string> families, string policy, List<FieldError> errors)
    {
        // Endpoints that somebody else writes may have families that the cluster's pods have not.
        var isFree = spec.Text("clusterIP") is None && spec["selector"] is not JsonObject { Count: > 0 };
        if (!isFree)
        {
            if (policy == Require && _configured.Length < 2)
            {
                errors.Add(FieldError.Invalid(PolicyField, policy, "this cluster is not configured for dual-stack services"));
            }

            errors.AddRange(families.Select((family, i) => (family, i)).Where(each => !_configured.Contains(each.family))
                .Select(each => FieldError.Invalid($"spec.ipFamilies[{each.i}]", each.family, "not configured on this cluster")));
        }

        if (families.Count == 0)
        {
            families.Add(_configured[0]);
        }

        // A service that prefers two and has one is not changed in passing, when the cluster has got a second.
        var isLeft = policy == Prefer && old?.Text("ipFamilyPolicy") is Prefer && Texts(old["ipFamilies"]).SequenceEqual(families);
        if (policy != Single && families.Count == 1 && !isLeft && (isFree || _configured.Length == 2))
        {
            families.Add(families[0] == Four ? Six : Four);
        }

        return families;
    }

    private void Refuse(List<FieldError> errors, string name)
    {
        if (errors.Count > 0)
        {
            throw ApiException.Invalid(services, name, [.. errors]);
        }
    }
}
