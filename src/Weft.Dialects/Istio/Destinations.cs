// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;

namespace Weft.Dialects.Istio;

/// <summary>One entry of route: a destination and its share.</summary>
internal static class Destinations
{
    public static Destination Read(ObjectContext context, ObjectReader route)
    {
        var headers = HeaderOperations.Read(route);
        return ReadForConnections(context, route) with { RequestHeaders = KeepHost(headers), ResponseHeaders = headers.Response };
    }

    /// <summary>The list <c>route</c> of a rule. A single destination gets everything, whatever its weight says.</summary>
    public static EquatableArray<Destination> ReadAll(ObjectReader rule, Func<ObjectReader, Destination> read)
    {
        var destinations = rule.Children("route").Select(read).ToList();
        if (destinations.Count == 1)
        {
            destinations[0] = destinations[0] with { Weight = Math.Max(1, destinations[0].Weight) };
        }
        else if (destinations.Count > 1 && destinations.Sum(destination => (long)destination.Weight) == 0)
        {
            rule.Findings.Add(IstioMessages.ZeroWeights, rule.Find("route")!.Value.Place, rule.Path);
        }

        return [.. destinations];
    }

    /// <summary>A destination of connections that are no HTTP: without headers.</summary>
    public static Destination ReadForConnections(ObjectContext context, ObjectReader route)
    {
        var weight = route.Integer("weight", 0, int.MaxValue) ?? 0;
        var destination = ReadTarget(context, route) with { Weight = weight };
        route.Finish();
        return destination;
    }

    /// <summary>The field <c>destination</c> of an object that sends something.</summary>
    public static Destination ReadTarget(ObjectContext context, ObjectReader owner)
    {
        var origin = context.Findings.At(owner.Place);
        return owner.Required("destination")?.AsObject() is { } destination
            ? ReadPlace(context, destination) with { Origin = origin }
            : new Destination("", "", 0, 0, HeaderOperationsPlan.None, HeaderOperationsPlan.None, origin);
    }

    /// <summary>Host, subset and port.</summary>
    public static Destination ReadPlace(ObjectContext context, ObjectReader destination)
    {
        var host = ReadHost(context, destination);
        var subset = destination.NonEmptyText("subset") ?? "";
        var port = ReadPort(destination);
        destination.Finish();
        return new Destination(
            host, subset, port, 0, HeaderOperationsPlan.None, HeaderOperationsPlan.None, context.Findings.At(destination.Place));
    }

    public static string ReadHost(ObjectContext context, ObjectReader owner)
    {
        if (owner.RequiredText("host") is not { } host)
        {
            return "";
        }

        if (Hosts.Problem(host) is { } problem)
        {
            owner.Find("host")!.Value.Report(IstioMessages.BadHost, host, problem);
        }

        return context.FullHost(host);
    }

    private static int ReadPort(ObjectReader destination)
    {
        if (destination.Child("port") is not { } port)
        {
            return 0;
        }

        var number = port.Required("number")?.AsInteger(1, ushort.MaxValue) ?? 0;
        port.Finish();
        return number;
    }

    /// <summary>There is no rewrite of a single destination, so its authority stays a header operation.</summary>
    private static HeaderOperationsPlan KeepHost(RouteHeaders headers) => headers.Authority is null
        ? headers.Request
        : headers.Request with { Set = [.. headers.Request.Set, new HeaderPlan("host", headers.Authority)] };
}
