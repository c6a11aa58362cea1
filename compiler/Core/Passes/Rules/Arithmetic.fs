/// Signs, numbers and powers. Signs move outwards and meet there; numbers gather on the left of products.
/// Nothing is cancelled: x/x stays, for it is not 1 at 0; so does sqrt(x)^2, which is NaN where x is negative.
module internal DiffEqLang.Compiler.Passes.Rules.Arithmetic

open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Build
open DiffEqLang.Compiler.Passes.Rules.Rule

let private x () = operand "x" [ 3 ]
let private y () = operand "y" [ 3 ]

let private signs =
    [ { Name = "double negation"
        Example = fun () -> neg (neg (x ()))
        Apply =
          function
          | Negated(Negated a) -> Some a
          | _ -> None }
      { Name = "negated difference"
        Example = fun () -> neg (sub (x ()) (y ()))
        Apply =
          function
          | Negated { Op = Subtract; Args = [ a; b ] } -> Some(sub b a)
          | _ -> None }
      { Name = "negated number times x"
        Example = fun () -> neg (scale 2.0 (x ()))
        Apply =
          function
          | Negated(Scaled(c, a)) -> Some(scale -c a)
          | _ -> None }
      { Name = "minus one times x"
        Example = fun () -> scale -1.0 (x ())
        Apply =
          function
          | Scaled(-1.0, a) -> Some(neg a)
          | _ -> None }
      { Name = "sum with a negated term"
        Example = fun () -> add (x ()) (neg (y ()))
        Apply =
          fun e ->
              match e.Op, e.Args with
              | Add, [ a; Negated b ] -> Some(sub a b)
              | Add, [ Negated a; b ] -> Some(sub b a)
              | Subtract, [ a; Negated b ] -> Some(add a b)
              | Subtract, [ Negated a; b ] -> Some(neg (add a b))
              | _ -> None }
      { Name = "sum with a negative factor"
        Example = fun () -> add (x ()) (scale -2.0 (y ()))
        Apply =
          fun e ->
              match e.Op, e.Args with
              | Add, [ a; Scaled(c, b) ] when c < 0.0 -> Some(sub a (scale -c b))
              | Subtract, [ a; Scaled(c, b) ] when c < 0.0 -> Some(add a (scale -c b))
              | Add, [ Scaled(c, a); b ] when c < 0.0 -> Some(sub b (scale -c a))
              | _ -> None }
      { Name = "negated factor"
        Example = fun () -> mul (neg (x ())) (y ())
        Apply =
          fun e ->
              match e.Op, e.Args with
              | Multiply, [ Negated a; Negated b ] -> Some(mul a b)
              | Multiply, [ { Op = Number c }; Negated b ] -> Some(scale -c b)
              | Multiply, [ Negated a; b ] -> Some(neg (mul a b))
              | Multiply, [ a; Negated b ] -> Some(neg (mul a b))
              | Divide, [ Negated a; Negated b ] -> Some(div a b)
              | Divide, [ { Op = Number c }; Negated b ] -> Some(div (number -c) b)
              | Divide, [ Negated a; b ] -> Some(neg (div a b))
              | Divide, [ a; Negated b ] -> Some(neg (div a b))
              | _ -> None } ]

let private isNumber (e: Expr) =
    match e.Op with
    | Number _ -> true
    | _ -> false

let private numbers =
    [ { Name = "number to the left"
        Example = fun () -> mul (x ()) (number 2.0)
        Apply =
          fun e ->
              match e.Op, e.Args with
              | Multiply, [ a; { Op = Number c } ] when not (isNumber a) -> Some(scale c a)
              | _ -> None }
      { Name = "number of a product"
        Example = fun () -> mul (scale 2.0 (x ())) (y ())
        Apply =
          fun e ->
              match e.Op, e.Args with
              | Multiply, [ { Op = Number c }; Scaled(d, a) ] -> Some(scale (c * d) a)
              | Multiply, [ Scaled(c, a); b ] -> Some(scale c (mul a b))
              | Multiply, [ a; Scaled(c, b) ] -> Some(scale c (mul a b))
              | _ -> None }
      { Name = "number of a quotient"
        Example = fun () -> div (scale 6.0 (x ())) (number 4.0)
        Apply =
          fun e ->
              match e.Op, e.Args with
              | Divide, [ Scaled(c, a); { Op = Number d } ] when d <> 0.0 -> Some(scale (c / d) a)
              | Divide, [ { Op = Divide; Args = [ a; { Op = Number c } ] }; { Op = Number d } ] ->
                  Some(div a (number (c * d)))
              | Multiply, [ { Op = Number c }; { Op = Divide; Args = [ a; { Op = Number d } ] } ] when
                  d <> 0.0
                  ->
                  Some(scale (c / d) a)
              | Multiply, [ { Op = Number c }; { Op = Divide; Args = [ { Op = Number d }; a ] } ] ->
                  Some(div (number (c * d)) a)
              | Divide, [ Scaled(c, a); b ] -> Some(scale c (div a b))
              | _ -> None }
      { Name = "times a reciprocal"
        Example = fun () -> mul (x ()) (div (number 1.0) (add (number 3.0) (square (y ()))))
        Apply =
          fun e ->
              match e.Op, e.Args with
              | Multiply, [ { Op = Divide; Args = [ One; a ] }; b ] when not (isNumber b) -> Some(div b a)
              | Multiply, [ b; { Op = Divide; Args = [ One; a ] } ] when not (isNumber b) -> Some(div b a)
              | _ -> None } ]

let private powers =
    [ { Name = "power of a power"
        Example = fun () -> pow (square (x ())) (number 3.0)
        Apply =
          fun e ->
              match e.Op, e.Args with
              | Power, [ { Op = Power; Args = [ a; Whole m ] }; Whole n ] when m <> 0 && n <> 0 ->
                  Some(pow a (number (float (m * n))))
              | _ -> None }
      { Name = "power of a negated base"
        Example = fun () -> pow (neg (x ())) (number 3.0)
        Apply =
          fun e ->
              match e.Op, e.Args with
              | Power, [ Negated a; Whole n ] when n % 2 = 0 -> Some(pow a (number (float n)))
              | Power, [ Negated a; Whole n ] -> Some(neg (pow a (number (float n))))
              | _ -> None } ]

let private truth =
    [ { Name = "double not"
        Example = fun () -> logicalNot (logicalNot (compare Less (x ()) (y ())))
        Apply =
          function
          | { Op = Not; Args = [ { Op = Not; Args = [ a ] } ] } -> Some a
          | _ -> None }
      { Name = "choice on a negation"
        Example = fun () -> select (logicalNot (compare Less (x ()) (y ()))) (x ()) (y ())
        Apply =
          fun e ->
              match e.Op, e.Args with
              | Select, [ { Op = Not; Args = [ condition ] }; a; b ] -> Some(select condition b a)
              | _ -> None } ]

let rules = signs @ numbers @ powers @ truth
