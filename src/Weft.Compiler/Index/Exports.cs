// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Intent;
using Weft.Model.World;

namespace Weft.Compiler.Index;

/// <summary>Who sees objects that do not say it themselves, as the mesh says.</summary>
internal static class Exports
{
    public static Service Applied(Service service, ExportDefaults defaults) =>
        defaults.Services.Count == 0 || !service.Visibility.IsUnsaid
            ? service
            : service with { Visibility = Of(defaults.Services, service.Namespace) };

    public static MeshIntent Applied(MeshIntent intent, ExportDefaults defaults) => intent switch
    {
        RouteIntent { Visibility.IsUnsaid: true } route when defaults.Routes.Count > 0 =>
            route with { Visibility = Of(defaults.Routes, intent.Origin.Namespace) },
        DestinationIntent { Visibility.IsUnsaid: true } destination when defaults.Destinations.Count > 0 =>
            destination with { Visibility = Of(defaults.Destinations, intent.Origin.Namespace) },
        _ => intent,
    };

    private static Visibility Of(EquatableArray<string> defaults, string ns) => defaults.Contains("*")
        ? Visibility.All
        : new Visibility(false, defaults.Select(d => d == "." ? ns : d).ToEquatableArray());
}
