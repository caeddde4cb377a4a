// SPDX-License-Identifier: Apache-2.0

namespace Weft.ApiServer.Expressions;

/// <summary>What functions take and give; arguments of a type that is not known are taken on trust.</summary>
internal static class Signatures
{
    private static readonly Shape _url = Shape.Library("kubernetes.URL");
    private static readonly Shape _address = Shape.Library("net.IP");
    private static readonly Shape _network = Shape.Library("net.CIDR");
    private static readonly Shape _quantity = Shape.Library("kubernetes.Quantity");
    private static readonly Shape _texts = Shape.ListOf(Shape.Text);

    private static readonly (string Name, Shape? Target, Shape[] Takes, Shape Gives)[] _all =
    [
        ("bool", null, [Shape.Dyn], Shape.Bool), ("string", null, [Shape.Dyn], Shape.Text), ("type", null, [Shape.Dyn], Shape.Type),
        ("int", null, [Shape.Dyn], Shape.Int), ("uint", null, [Shape.Dyn], Shape.Int), ("double", null, [Shape.Dyn], Shape.Double),
        ("dyn", null, [Shape.Dyn], Shape.Dyn), ("duration", null, [Shape.Text], Shape.Duration), ("duration", null, [Shape.Duration], Shape.Duration),
        ("timestamp", null, [Shape.Text], Shape.Moment), ("timestamp", null, [Shape.Moment], Shape.Moment),
        ("matches", null, [Shape.Text, Shape.Text], Shape.Bool), ("size", null, [Shape.Text], Shape.Int),
        ("size", null, [Shape.ListOf(Shape.Dyn)], Shape.Int), ("size", null, [Shape.MapOf(Shape.Dyn)], Shape.Int),
        ("isURL", null, [Shape.Text], Shape.Bool), ("url", null, [Shape.Text], _url), ("isIP", null, [Shape.Text], Shape.Bool),
        ("ip", null, [Shape.Text], _address), ("isCIDR", null, [Shape.Text], Shape.Bool), ("cidr", null, [Shape.Text], _network),
        ("isQuantity", null, [Shape.Text], Shape.Bool), ("quantity", null, [Shape.Text], _quantity),

        ("size", Shape.Text, [], Shape.Int), ("size", Shape.ListOf(Shape.Dyn), [], Shape.Int), ("size", Shape.MapOf(Shape.Dyn), [], Shape.Int),
        ("startsWith", Shape.Text, [Shape.Text], Shape.Bool), ("endsWith", Shape.Text, [Shape.Text], Shape.Bool),
        ("contains", Shape.Text, [Shape.Text], Shape.Bool), ("matches", Shape.Text, [Shape.Text], Shape.Bool),
        ("find", Shape.Text, [Shape.Text], Shape.Text), ("findAll", Shape.Text, [Shape.Text], _texts), ("charAt", Shape.Text, [Shape.Int], Shape.Text),
        ("indexOf", Shape.Text, [Shape.Text], Shape.Int), ("lastIndexOf", Shape.Text, [Shape.Text], Shape.Int),
        ("lowerAscii", Shape.Text, [], Shape.Text), ("upperAscii", Shape.Text, [], Shape.Text), ("trim", Shape.Text, [], Shape.Text),
        ("replace", Shape.Text, [Shape.Text, Shape.Text], Shape.Text), ("split", Shape.Text, [Shape.Text], _texts),
        ("substring", Shape.Text, [Shape.Int], Shape.Text), ("substring", Shape.Text, [Shape.Int, Shape.Int], Shape.Text),

        ("isSorted", Shape.ListOf(Shape.Dyn), [], Shape.Bool), ("sum", Shape.ListOf(Shape.Dyn), [], Shape.Dyn),
        ("min", Shape.ListOf(Shape.Dyn), [], Shape.Dyn), ("max", Shape.ListOf(Shape.Dyn), [], Shape.Dyn),
        ("indexOf", Shape.ListOf(Shape.Dyn), [Shape.Dyn], Shape.Int), ("lastIndexOf", Shape.ListOf(Shape.Dyn), [Shape.Dyn], Shape.Int),
        ("contains", Shape.ListOf(Shape.Dyn), [Shape.Dyn], Shape.Bool), ("join", _texts, [], Shape.Text), ("join", _texts, [Shape.Text], Shape.Text),

        ("getSeconds", Shape.Duration, [], Shape.Int), ("getMilliseconds", Shape.Duration, [], Shape.Int),
        ("getMinutes", Shape.Duration, [], Shape.Int), ("getHours", Shape.Duration, [], Shape.Int),

        ("getScheme", _url, [], Shape.Text), ("getHost", _url, [], Shape.Text), ("getHostname", _url, [], Shape.Text), ("getPort", _url, [], Shape.Text),
        ("getEscapedPath", _url, [], Shape.Text),
        ("family", _address, [], Shape.Int), ("isLoopback", _address, [], Shape.Bool), ("isUnspecified", _address, [], Shape.Bool),
        ("containsIP", _network, [Shape.Dyn], Shape.Bool), ("containsCIDR", _network, [Shape.Dyn], Shape.Bool), ("prefixLength", _network, [], Shape.Int),
        ("ip", _network, [], _address),
        ("isGreaterThan", _quantity, [_quantity], Shape.Bool), ("isLessThan", _quantity, [_quantity], Shape.Bool),
        ("compareTo", _quantity, [_quantity], Shape.Int), ("isInteger", _quantity, [], Shape.Bool), ("asInteger", _quantity, [], Shape.Int),
        ("asApproximateFloat", _quantity, [], Shape.Double), ("sign", _quantity, [], Shape.Int),
        ("add", _quantity, [_quantity], _quantity), ("sub", _quantity, [_quantity], _quantity),
    ];

    private static readonly ILookup<string, (string Name, Shape? Target, Shape[] Takes, Shape Gives)> _byName =
        _all.ToLookup(entry => entry.Name, StringComparer.Ordinal);

    public static bool HasFunction(string name) => _byName[name].Any(entry => entry.Target is null);

    public static bool HasMethod(string name) => name is "hasValue" or "value" or "orValue" || _byName[name].Any(entry => entry.Target is not null);

    /// <summary>What the call gives; null when no function of that name takes these.</summary>
    public static Shape? Find(string name, Shape? target, Shape[] arguments)
    {
        if (target is { Kind: Shape.OptionalKind })
        {
            return (name, arguments.Length) switch
            {
                ("hasValue", 0) => Shape.Bool,
                ("value", 0) or ("orValue", 1) => target.Item,
                _ => null,
            };
        }

        if (target is { IsDyn: true } && name is "hasValue" or "value" or "orValue")
        {
            return Shape.Dyn;
        }

        var found = _byName[name].Where(entry => entry.Target is null == target is null && entry.Takes.Length == arguments.Length
            && (target is null || Takes(entry.Target!, target)) && entry.Takes.Zip(arguments).All(pair => Takes(pair.First, pair.Second))).ToList();
        return found.Count == 0 ? null : found.TrueForAll(entry => entry.Gives == found[0].Gives) ? found[0].Gives : Shape.Dyn;
    }

    /// <summary>An object may stand where a map is taken, since it has a size.</summary>
    private static bool Takes(Shape wanted, Shape given) =>
        wanted.Fits(given) && given != Shape.Null || (wanted.Kind is Shape.MapKind && given.Kind is Shape.ObjectKind);
}
