DELETE FROM {schema}.instances AS i WHERE i.id = $1::uuid
