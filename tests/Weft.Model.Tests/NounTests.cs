// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Diagnostics;
using Weft.Model.Identity;
using Weft.Model.Intent;
using Weft.Model.World;
using Xunit;

namespace Weft.Model.Tests;

public sealed class NounTests
{
    [Fact]
    public void Arrays_are_equal_when_their_elements_are()
    {
        EquatableArray<string> first = ["a", "b"];
        EquatableArray<string> same = [.. "a,b".Split(',')];
        EquatableArray<string> other = ["b", "a"];
        Assert.True(first == same);
        Assert.Equal(first.GetHashCode(), same.GetHashCode());
        Assert.True(first != other);
        Assert.True(default(EquatableArray<string>) == []);
        Assert.Empty(default(EquatableArray<string>));
    }

    [Fact]
    public void Records_made_of_arrays_are_equal_when_they_say_the_same() =>
        Assert.Equal(
            new LabelSelector([new Label("a", "1")]),
            new LabelSelector([.. new[] { new Label("a", "1") }]));

    [Theory]
    [InlineData("", true)]
    [InlineData("a=1", true)]
    [InlineData("a=1,b=2", true)]
    [InlineData("a=2", false)]
    [InlineData("a=1,c=3", false)]
    public void A_selector_wants_all_of_its_labels(string selector, bool selects) =>
        Assert.Equal(selects, new LabelSelector(Labels(selector)).Selects(Labels("a=1,b=2")));

    [Fact]
    public void Visibility_is_everybody_or_those_named()
    {
        Assert.True(Visibility.All.Includes("any"));
        Assert.True(new Visibility(false, ["shop"]).Includes("shop"));
        Assert.False(new Visibility(false, ["shop"]).Includes("other"));
    }

    [Theory]
    [InlineData("spiffe://cluster.local/ns/shop/sa/reviews", true)]
    [InlineData("spiffe://cluster.local/ns/shop/sa/reviews/more", false)]
    [InlineData("spiffe://cluster.local/ns//sa/reviews", false)]
    [InlineData("spiffe:///ns/shop/sa/reviews", false)]
    [InlineData("https://cluster.local/ns/shop/sa/reviews", false)]
    [InlineData("", false)]
    public void Only_the_meshs_form_of_an_identity_is_read(string text, bool valid)
    {
        Assert.Equal(valid, SpiffeId.TryParse(text, out var id));
        Assert.Equal(valid ? text : null, id?.ToString());
    }

    [Fact]
    public void An_origin_leads_to_its_text_or_else_to_its_object()
    {
        var origin = new Origin("istio", "VirtualService", "shop", "reviews", Position.None);
        Assert.Equal("VirtualService/shop/reviews", origin.Where);
        Assert.Equal("VirtualService/shop/reviews spec.http[0]", origin.At("spec.http[0]", Position.None).Where);
        Assert.Equal("a.yaml:3:5", origin.At("spec", new Position("a.yaml", 3, 5)).Where);
    }

    private static EquatableArray<Label> Labels(string text) =>
        text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(l => new Label(l.Split('=')[0], l.Split('=')[1])).ToEquatableArray();
}
