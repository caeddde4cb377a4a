// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Dialects.Yaml;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;

namespace Weft.Dialects.Istio;

/// <summary>consistentHash of a load balancer: what is hashed, and into which table.</summary>
internal static class ConsistentHashes
{
    private const long NoCookie = -1;

    private static readonly string[] _keys = ["httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName"];

    public static Balancing Read(ObjectReader hash)
    {
        var (kind, table) = ReadTable(hash);
        var keys = _keys.Count(hash.Has);
        if (keys != 1)
        {
            hash.Findings.Add(IstioMessages.HashKeyCount, hash.Place, hash.Path);
        }

        if (hash.Find("httpHeaderName") is { Value: YamlScalar { Value: { Length: > 0 } name } } field && !HeaderNames.IsToken(name))
        {
            field.Report(IstioMessages.BadHeaderName, name);
        }

        var policy = hash.NonEmptyText("httpHeaderName") is { } header ? Named(HashSource.Header, header.ToLowerInvariant())
            : hash.Child("httpCookie") is { } cookie ? ReadCookie(cookie)
            : hash.NonEmptyText("httpQueryParameterName") is { } parameter ? Named(HashSource.QueryParameter, parameter)
            : hash.Boolean("useSourceIp") is true ? Named(HashSource.SourceAddress, "")
            : null;
        hash.Finish();
        return new Balancing(kind, policy) { HashTable = table };
    }

    private static HashPolicyPlan Named(HashSource source, string name) => new(source, name, "", NoCookie, false);

    private static HashPolicyPlan ReadCookie(ObjectReader cookie)
    {
        var name = cookie.RequiredText("name") ?? "";
        var path = cookie.Text("path") ?? "";
        var ttl = cookie.DurationMs("ttl", minimumMs: 0) ?? NoCookie;
        var attributes = cookie.Children("attributes").Select(ReadAttribute).OfType<CookieAttributePlan>().ToEquatableArray();
        cookie.Finish();
        return new HashPolicyPlan(HashSource.Cookie, name, path, ttl, false) { Attributes = attributes };
    }

    private static CookieAttributePlan? ReadAttribute(ObjectReader attribute)
    {
        var name = attribute.RequiredText("name");
        var value = attribute.Text("value") ?? "";
        attribute.Finish();
        foreach (var text in new[] { "name", "value" })
        {
            if (attribute.Text(text) is { } written && written.AsSpan().ContainsAny(";\r\n"))
            {
                attribute.Find(text)!.Value.Report(IstioMessages.BadCookieAttribute, written);
                return null;
            }
        }

        return name is null ? null : new CookieAttributePlan(name, value);
    }

    private static (LoadBalancerKind Kind, HashTablePlan Table) ReadTable(ObjectReader hash)
    {
        hash.Exclusive("ringHash", "maglev");
        hash.Exclusive("maglev", "minimumRingSize");
        hash.Exclusive("ringHash", "minimumRingSize");
        var table = HashTablePlan.Default;
        if (hash.Find("minimumRingSize") is { } old)
        {
            old.Report(ReadingMessages.DeprecatedField, "minimumRingSize", "ringHash.minimumRingSize");
            table = table with { MinRingSize = RingSize(old) ?? table.MinRingSize };
        }

        if (hash.Child("ringHash") is { } ring)
        {
            table = table with { MinRingSize = (ring.Find("minimumRingSize") is { } size ? RingSize(size) : null) ?? table.MinRingSize };
            ring.Finish();
        }

        if (hash.Child("maglev") is not { } maglev)
        {
            return (LoadBalancerKind.RingHash, table);
        }

        if (maglev.Find("tableSize") is { } field && field.AsInteger(1, int.MaxValue) is { } wanted)
        {
            if (HashTablePlan.IsMaglevSize(wanted))
            {
                table = table with { MaglevSize = wanted };
            }
            else
            {
                field.Report(IstioMessages.BadMaglevSize, field.Path, YamlReader.Number(wanted), YamlReader.Number(HashTablePlan.MaxMaglevSize));
            }
        }

        maglev.Finish();
        return (LoadBalancerKind.Maglev, table);
    }

    /// <summary>0 means the default, as everywhere in Istio.</summary>
    private static int? RingSize(Field field) =>
        field.AsInteger(0, HashTablePlan.MaxRingSize) is > 0 and var size ? size : null;
}
